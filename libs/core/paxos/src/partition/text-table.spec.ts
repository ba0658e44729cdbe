import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TextTable } from './text-table.js';

type Step =
  | { readonly kind: 'add'; readonly text: string; readonly numbers: readonly number[] }
  | { readonly kind: 'drop'; readonly count: number }
  | { readonly kind: 'keep'; readonly below: number }
  | { readonly kind: 'clear' };

const text = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 60 }).map((n) => `key:${n}`), weight: 4 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }), weight: 1 },
);
const add = fc.record({
  kind: fc.constant('add' as const),
  text,
  numbers: fc.tuple(fc.integer({ min: 0, max: 100 }), fc.double({ noNaN: true })),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: add, weight: 20 },
  { arbitrary: fc.record({ kind: fc.constant('drop' as const), count: fc.nat({ max: 30 }) }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('keep' as const), below: fc.nat({ max: 120 }) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('clear' as const) }), weight: 1 },
);

function apply(table: TextTable, model: Map<string, readonly number[]>, taken: Step): void {
  if (taken.kind === 'add') {
    expect(table.add(taken.text, ...taken.numbers)).toBe(!model.has(taken.text));
    if (!model.has(taken.text)) model.set(taken.text, taken.numbers);
  } else if (taken.kind === 'drop') {
    for (let i = 0; i < taken.count; i += 1) table.dropFirst();
    for (const each of [...model.keys()].slice(0, taken.count)) model.delete(each);
  } else if (taken.kind === 'keep') {
    table.keep((slot) => table.number(slot, 0) < taken.below);
    for (const [each, numbers] of model) if (!(numbers[0]! < taken.below)) model.delete(each);
  } else {
    table.clear();
    model.clear();
  }
}

const contentsOf = (table: TextTable): (readonly [string, readonly number[]])[] =>
  Array.from(table.slots(), (slot) => [table.text(slot), [table.number(slot, 0), table.number(slot, 1)]]);

describe('TextTable', () => {
  it('does what an ordered map does, whatever is added and dropped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), text, (steps, other) => {
        const [table, model] = [new TextTable(2), new Map<string, readonly number[]>()];
        for (const each of steps) {
          apply(table, model, each);
          expect(table.size).toBe(model.size);
          const asked = each.kind === 'add' ? each.text : other;
          const slot = table.find(asked);
          expect(slot < 0 ? undefined : table.number(slot, 1)).toEqual(model.get(asked)?.[1]);
        }
        expect(contentsOf(table)).toEqual([...model]);
        for (const [each] of model) expect(table.text(table.find(each))).toBe(each);
      }),
    );
  });

  it('tells texts with the same hash apart', () => {
    // FNV-1a, 32 bits: both 0x5e4daa9d.
    const [one, other] = ['costarring', 'liquid'];
    const table = new TextTable(1);
    expect([table.add(one, 1), table.add(other, 2)]).toEqual([true, true]);
    expect([one, other].map((each) => table.number(table.find(each), 0))).toEqual([1, 2]);
    table.dropFirst();
    expect([table.find(one) < 0, table.find(other) < 0]).toEqual([true, false]);
  });
});
