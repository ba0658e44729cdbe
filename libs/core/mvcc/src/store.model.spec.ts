/**
 * The store against the obvious way: a model that keeps a full copy of all keys for every revision. Random commands,
 * snapshots taken and restored in between, and reads at random revisions must agree.
 */
import { describe, expect, it } from '@jest/globals';
import { compareKeys, seededPrng } from '@ringleader/primitives';
import type { Prng } from '@ringleader/primitives';
import type { Command, Compare, KeyValue, Operation } from './commands.js';
import { rangeContains } from './key-range.js';
import type { KeyRange } from './key-range.js';
import { decodeCommand, encodeCommand } from './command-codec.js';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.js';
import { MvccStore } from './store.js';
import { duplicateKey } from './transaction.js';

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/\u{1f600}', 'b/\uff5e', 'c', '\u{10ffff}', 'é'];
const TERM = 3;

/** All states there ever were, by revision. */
class NaiveStore {
  readonly states = [new Map<string, KeyValue>()];
  readonly leases = new Set<number>();
  lastLease = 0;
  compacted = 0;

  get revision(): number {
    return this.states.length - 1;
  }

  get now(): ReadonlyMap<string, KeyValue> {
    return this.states.at(-1) as Map<string, KeyValue>;
  }

  apply(command: Command): string {
    switch (command.kind) {
      case 'txn':
        return this.#txn(
          command.compare.every((compare) => this.#holds(compare)),
          command,
        );
      case 'leaseGrant':
        this.leases.add(++this.lastLease);
        return 'leaseGranted';
      case 'leaseRevoke':
        if (!this.leases.has(command.lease)) return 'rejected';
        this.#end([command.lease]);
        return 'leasesEnded';
      case 'leaseExpire':
        if (command.term !== TERM) return 'rejected';
        this.#end(command.leases);
        return 'leasesEnded';
      case 'compact':
        if (command.revision > this.revision) return 'rejected';
        this.compacted = Math.max(this.compacted, command.revision);
        return 'compacted';
    }
  }

  list(range: KeyRange, revision: number): KeyValue[] {
    const state = this.states[revision] ?? new Map<string, KeyValue>();
    return [...state.values()]
      .filter(({ key }) => rangeContains(range, key))
      .sort((x, y) => compareKeys(x.key, y.key));
  }

  events(range: KeyRange, from: number): string[] {
    const events: string[] = [];
    for (let revision = from; revision <= this.revision; revision++) {
      const before = this.states[revision - 1] as Map<string, KeyValue>;
      const after = this.states[revision] as Map<string, KeyValue>;
      const changed = [...new Set([...before.keys(), ...after.keys()])]
        .filter((key) => rangeContains(range, key) && before.get(key) !== after.get(key))
        .sort(compareKeys);
      events.push(...changed.map((key) => `${revision} ${key} ${after.get(key)?.value ?? 'deleted'}`));
    }
    return events;
  }

  #holds({ key, target, result, operand }: Compare): boolean {
    const item = this.now.get(key);
    if (target === 'value' && item === undefined) return false;
    const actual = item?.[target] ?? 0;
    const order =
      typeof operand === 'string' ? compareKeys(actual as string, operand) : Number(actual) - operand;
    return { equal: order === 0, notEqual: order !== 0, greater: order > 0, less: order < 0 }[result];
  }

  #txn(succeeded: boolean, command: Extract<Command, { kind: 'txn' }>): string {
    const operations = succeeded ? command.success : command.failure;
    if (duplicateKey(operations) !== null) return 'rejected';
    const puts = operations.filter((operation) => operation.kind === 'put');
    if (puts.some(({ lease }) => lease !== 0 && !this.leases.has(lease))) return 'rejected';
    const next = new Map(this.now);
    const revision = this.revision + 1;
    let isChanged = false;
    for (const operation of operations) isChanged = change(next, operation, revision) || isChanged;
    if (isChanged) this.states.push(next);
    return 'txn';
  }

  #end(leases: readonly number[]): void {
    const ended = leases.filter((lease) => this.leases.delete(lease));
    const next = new Map([...this.now].filter(([, { lease }]) => !ended.includes(lease)));
    if (next.size < this.now.size) this.states.push(next);
  }
}

function change(state: Map<string, KeyValue>, operation: Operation, revision: number): boolean {
  if (operation.kind === 'put') {
    const { key, value, lease } = operation;
    const old = state.get(key);
    const createRevision = old?.createRevision ?? revision;
    state.set(key, {
      key,
      value,
      lease,
      createRevision,
      modRevision: revision,
      version: (old?.version ?? 0) + 1,
    });
    return true;
  }
  if (operation.kind !== 'delete') return false;
  const keys = [...state.keys()].filter((key) => rangeContains(operation, key));
  return keys.map((key) => state.delete(key)).length > 0;
}

function pick<Item>(prng: Prng, items: readonly Item[]): Item {
  return items[prng.nextBelow(items.length)] as Item;
}

function randomRange(prng: Prng): KeyRange {
  const key = pick(prng, KEYS);
  return { key, rangeEnd: pick(prng, [null, null, '', pick(prng, KEYS)]) };
}

function randomOperation(prng: Prng, model: NaiveStore): Operation {
  const draw = prng.nextBelow(10);
  if (draw < 6) {
    const lease = prng.nextBelow(3) === 0 ? prng.nextBelow(model.lastLease + 2) : 0;
    return { kind: 'put', key: pick(prng, KEYS), value: `v${prng.nextBelow(5)}`, lease };
  }
  if (draw < 8) return { kind: 'delete', ...randomRange(prng) };
  return { kind: 'range', ...randomRange(prng), limit: prng.nextBelow(4) };
}

function randomCompare(prng: Prng, model: NaiveStore): Compare {
  const key = pick(prng, KEYS);
  const result = pick(prng, ['equal', 'notEqual', 'greater', 'less'] as const);
  const target = pick(prng, ['version', 'createRevision', 'modRevision', 'lease', 'value'] as const);
  if (target === 'value') return { key, result, target, operand: `v${prng.nextBelow(5)}` };
  return { key, result, target, operand: prng.nextBelow(model.revision + 2) };
}

function randomCommand(prng: Prng, model: NaiveStore): Command {
  const operations = (): Operation[] =>
    Array.from({ length: 1 + prng.nextBelow(3) }, () => randomOperation(prng, model));
  const lease = (): number => prng.nextBelow(model.lastLease + 2);
  const draw = prng.nextBelow(20);
  if (draw < 2) return { kind: 'leaseGrant', ttlMs: 1_000 };
  if (draw < 3) return { kind: 'leaseRevoke', lease: lease() };
  if (draw < 4) return { kind: 'leaseExpire', leases: [lease(), lease()], term: TERM - prng.nextBelow(2) };
  if (draw < 5) return { kind: 'compact', revision: prng.nextBelow(model.revision + 2) };
  const compare = Array.from({ length: prng.nextBelow(3) }, () => randomCompare(prng, model));
  return { kind: 'txn', compare, success: operations(), failure: operations() };
}

function expectSameReads(store: MvccStore, model: NaiveStore, prng: Prng): void {
  const range = randomRange(prng);
  const revision = model.compacted + prng.nextBelow(model.revision - model.compacted + 1);
  const expected = model.list(range, revision === 0 ? model.revision : revision);
  expect(store.range({ ...range, revision, limit: 0 })).toMatchObject({ kind: 'range', items: expected });

  const from = revision + 1;
  const seen: string[] = [];
  let position = { revision: from, skip: 0 };
  for (;;) {
    const answer = store.watch({
      ...range,
      from: position,
      eventsMax: 1 + prng.nextBelow(3),
      lengthMax: 1_000,
    });
    if (answer.kind !== 'events') throw new Error('revisions above the compacted one can be watched');
    seen.push(
      ...answer.events.map(({ kind, item }) => {
        return `${item.modRevision} ${item.key} ${kind === 'put' ? item.value : 'deleted'}`;
      }),
    );
    position = answer.next;
    if (answer.events.length === 0) break;
  }
  expect(position).toEqual({ revision: Math.max(from, model.revision + 1), skip: 0 });
  expect(seen).toEqual(model.events(range, from));
}

describe('MvccStore against a model', () => {
  it.each(Array.from({ length: 60 }, (_, i) => i + 1))('agrees with it (seed %i)', (seed) => {
    const prng = seededPrng(seed);
    const model = new NaiveStore();
    let store = new MvccStore();
    const undisturbed = new MvccStore();
    for (let step = 0; step < 150; step++) {
      const command = decodeCommand(encodeCommand(randomCommand(prng, model)));
      const outcome = model.apply(command);
      expect(store.apply(command, TERM)).toMatchObject({ kind: outcome, revision: model.revision });
      undisturbed.apply(command, TERM);
      if (prng.nextBelow(25) === 0) store = decodeSnapshot(encodeSnapshot(store));
      expectSameReads(store, model, prng);
    }
    expect(store.listLeases().map(({ lease }) => lease)).toEqual([...model.leases].sort((a, b) => a - b));
    expect(encodeSnapshot(store)).toEqual(encodeSnapshot(undisturbed));
  });
});
