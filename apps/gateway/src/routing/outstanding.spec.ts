import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Sent } from './in-flight.js';
import { Outstanding } from './outstanding.js';

/** Told apart by its number alone. */
const sentAs = (number: number): Sent => ({ number }) as Sent;

describe('Outstanding', () => {
  it('finds what was added and not deleted, however long ago', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(1, 16_384, 32_768, 100_000), fc.boolean()), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.nat({ max: 2 ** 33 }), (given, first) => {
        const outstanding = new Outstanding();
        const expected = new Map<number, Sent>();
        let number = first;
        for (const [distance, isDeleted] of given) {
          number += distance;
          const sent = sentAs(number);
          outstanding.add(sent);
          expected.set(number, sent);
          const [oldest] = expected.values();
          if (isDeleted && oldest !== undefined) {
            outstanding.delete(oldest);
            expected.delete(oldest.number);
            expect(outstanding.find(oldest.number)).toBeUndefined();
          }
        }
        for (const [each, sent] of expected) expect(outstanding.find(each)).toBe(sent);
        expect(outstanding.find(number + 16_384)).toBeUndefined();
      }),
    );
  });
});
