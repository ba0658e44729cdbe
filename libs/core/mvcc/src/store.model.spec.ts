/**
 * The store against the obvious way: a model that keeps a full copy of all keys for every revision. Random commands,
 * snapshots taken and restored in between, and reads at random revisions must agree in all that they answer. The model
 * shares nothing with the store but the shapes of questions and answers.
 */
import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import type { Prng } from '@ringleader/primitives';
import type {
  Command,
  CommandResult,
  Compare,
  KeyValue,
  Operation,
  OperationResult,
  RangeResult,
  Rejection,
} from './commands.js';
import type { KeyRange } from './key-range.js';
import type { WatchEvent } from './change-log.js';
import { decodeCommand, encodeCommand } from './command-codec.js';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.js';
import { MvccStore } from './store.js';

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/\u{1f600}', 'b/\uff5e', 'c', '\u{10ffff}', 'é'];
const TERM = 3;

/** Keys are ordered as their bytes are. */
const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function isWithin({ key: first, rangeEnd }: KeyRange, key: string): boolean {
  if (rangeEnd === null) return order(key, first) === 0;
  return order(key, first) >= 0 && (rangeEnd === '' || order(key, rangeEnd) < 0);
}

function changedTwice(operations: readonly Operation[]): string | null {
  const found = operations.find(
    (operation, position) =>
      operation.kind === 'put' &&
      operations.some(
        (other, place) =>
          (other.kind === 'put' && place < position && other.key === operation.key) ||
          (other.kind === 'delete' && isWithin(other, operation.key)),
      ),
  );
  return found?.key ?? null;
}

type State = ReadonlyMap<string, KeyValue>;

function listOf(state: State, range: KeyRange, limit: number): RangeResult {
  const all = [...state.values()]
    .filter(({ key }) => isWithin(range, key))
    .sort((x, y) => order(x.key, y.key));
  const items = limit === 0 ? all : all.slice(0, limit);
  return { items, count: all.length, more: items.length < all.length };
}

/** All states there ever were, by revision. */
class NaiveStore {
  readonly states: State[] = [new Map<string, KeyValue>()];
  readonly leases = new Map<number, number>();
  lastLease = 0;
  compacted = 0;

  get revision(): number {
    return this.states.length - 1;
  }

  get now(): State {
    return this.states.at(-1) as State;
  }

  apply(command: Command): CommandResult {
    switch (command.kind) {
      case 'txn':
        return this.#txn(
          command.compare.every((compare) => this.#holds(compare)),
          command,
        );
      case 'leaseGrant':
        this.leases.set(++this.lastLease, command.ttlMs);
        return { kind: 'leaseGranted', revision: this.revision, lease: this.lastLease };
      case 'leaseRevoke': {
        const { lease } = command;
        return this.leases.has(lease)
          ? this.#end([lease])
          : this.#rejected({ reason: 'leaseNotFound', lease });
      }
      case 'leaseExpire':
        return command.term === TERM
          ? this.#end(command.leases)
          : this.#rejected({ reason: 'staleTerm', term: TERM });
      case 'compact':
        if (command.revision > this.revision) {
          return this.#rejected({ reason: 'futureRevision', revision: this.revision });
        }
        this.compacted = Math.max(this.compacted, command.revision);
        return { kind: 'compacted', revision: this.revision };
    }
  }

  list(range: KeyRange, revision: number, limit: number): RangeResult {
    return listOf(this.states[revision] as State, range, limit);
  }

  events(range: KeyRange, from: number): WatchEvent[] {
    const events: WatchEvent[] = [];
    for (let revision = from; revision <= this.revision; revision++) {
      const before = this.states[revision - 1] as State;
      const after = this.states[revision] as State;
      const changed = [...new Set([...before.keys(), ...after.keys()])]
        .filter((key) => isWithin(range, key) && before.get(key) !== after.get(key))
        .sort(order);
      events.push(...changed.map((key) => eventOf(key, after.get(key), revision)));
    }
    return events;
  }

  #holds({ key, target, result, operand }: Compare): boolean {
    const item = this.now.get(key);
    if (target === 'value' && item === undefined) return false;
    const actual = item?.[target] ?? 0;
    const sign = typeof operand === 'string' ? order(String(actual), operand) : Number(actual) - operand;
    return { equal: sign === 0, notEqual: sign !== 0, greater: sign > 0, less: sign < 0 }[result];
  }

  #txn(succeeded: boolean, command: Extract<Command, { kind: 'txn' }>): CommandResult {
    const operations = succeeded ? command.success : command.failure;
    const key = changedTwice(operations);
    if (key !== null) return this.#rejected({ reason: 'duplicateKey', key });
    for (const operation of operations) {
      const lease = operation.kind === 'put' ? operation.lease : 0;
      if (lease !== 0 && !this.leases.has(lease)) return this.#rejected({ reason: 'leaseNotFound', lease });
    }
    const next = new Map(this.now);
    const revision = this.revision + 1;
    const results = operations.map((operation) => execute(next, operation, revision));
    const isChanged = results.some(
      (result) => result.kind === 'put' || (result.kind === 'delete' && result.deleted > 0),
    );
    if (isChanged) this.states.push(next);
    return { kind: 'txn', revision: this.revision, succeeded, results };
  }

  #end(leases: readonly number[]): CommandResult {
    const ended = leases.filter((lease) => this.leases.delete(lease));
    const next = new Map([...this.now].filter(([, { lease }]) => !ended.includes(lease)));
    if (next.size < this.now.size) this.states.push(next);
    return { kind: 'leasesEnded', revision: this.revision, leases: ended };
  }

  #rejected(rejection: Rejection): CommandResult {
    return { kind: 'rejected', revision: this.revision, rejection };
  }
}

function eventOf(key: string, item: KeyValue | undefined, revision: number): WatchEvent {
  if (item !== undefined) return { kind: 'put', item };
  const gone = { key, value: '', createRevision: 0, modRevision: revision, version: 0, lease: 0 };
  return { kind: 'delete', item: gone };
}

function execute(state: Map<string, KeyValue>, operation: Operation, revision: number): OperationResult {
  if (operation.kind === 'range') return { kind: 'range', ...listOf(state, operation, operation.limit) };
  if (operation.kind === 'delete') {
    const keys = [...state.keys()].filter((key) => isWithin(operation, key));
    for (const key of keys) state.delete(key);
    return { kind: 'delete', deleted: keys.length };
  }
  const { key, value, lease } = operation;
  const old = state.get(key);
  const createRevision = old?.createRevision ?? revision;
  const version = (old?.version ?? 0) + 1;
  state.set(key, { key, value, lease, createRevision, modRevision: revision, version });
  return { kind: 'put' };
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
  const limit = prng.nextBelow(4);
  const revision = model.compacted + prng.nextBelow(model.revision - model.compacted + 1);
  const readAt = revision === 0 ? model.revision : revision;
  const expected = model.list(range, readAt, limit);
  expect(store.range({ ...range, revision, limit })).toEqual({
    kind: 'range',
    revision: readAt,
    ...expected,
  });

  const from = revision + 1;
  const seen: WatchEvent[] = [];
  let position = { revision: from, skip: 0 };
  for (;;) {
    const answer = store.watch({
      ...range,
      from: position,
      eventsMax: 1 + prng.nextBelow(3),
      lengthMax: 1_000,
    });
    if (answer.kind !== 'events') throw new Error('revisions above the compacted one can be watched');
    seen.push(...answer.events);
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
      expect(store.apply(command, TERM)).toEqual(outcome);
      expect(undisturbed.apply(command, TERM)).toEqual(outcome);
      if (prng.nextBelow(25) === 0) store = decodeSnapshot(encodeSnapshot(store));
      expectSameReads(store, model, prng);
    }
    const leases = [...model.leases].map(([lease, ttlMs]) => ({ lease, ttlMs }));
    expect(store.listLeases()).toEqual(leases.sort((a, b) => a.lease - b.lease));
    expect(encodeSnapshot(store)).toEqual(encodeSnapshot(undisturbed));
  });
});
