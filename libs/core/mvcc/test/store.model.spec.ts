/**
 * The store against the obvious way (`NaiveStore`). Random commands, snapshots taken and restored in between, some of
 * them read while the store goes on, jumps of the revision, and reads at random revisions must agree in all that they
 * answer.
 */
import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import type { Prng } from '@ringleader/primitives';
import { decodeCommand, encodeCommand } from '../src/command-codec.js';
import type { CommandResult } from '../src/commands.js';
import { snapshotOf, storeOf } from '../src/snapshot-codec.js';
import { MvccStore } from '../src/store.js';
import type { WatchEvent } from '../src/watch.js';
import { NaiveStore, type State, TERM, listOf } from './naive-store.js';
import { randomCommand, randomOptions, randomRange } from './random-commands.js';

const STEPS = 200;

const bytesOf = (store: MvccStore): Buffer => Buffer.concat([...snapshotOf(store)]);

/** The store and the model may name different ones of several keys that are changed twice. */
function expectSame(result: CommandResult, expected: CommandResult): void {
  if (expected.kind === 'rejected' && expected.rejection.reason === 'duplicateKey') {
    const keys = JSON.parse(expected.rejection.key) as string[];
    expect(result).toMatchObject({ kind: 'rejected', rejection: { reason: 'duplicateKey' } });
    if (result.kind !== 'rejected' || result.rejection.reason !== 'duplicateKey') return;
    expect(keys).toContain(result.rejection.key);
  } else expect(result).toEqual(expected);
}

function expectSameRange(store: MvccStore, model: NaiveStore, prng: Prng): void {
  const range = randomRange(prng);
  const options = randomOptions(prng, model);
  const revision = model.compacted + prng.nextBelow(model.revision - model.compacted + 1);
  const readAt = revision === 0 ? model.revision : revision;
  expect(store.range({ ...options, ...range, revision })).toEqual({
    kind: 'range',
    revision: readAt,
    ...listOf(model.states.get(readAt) as State, range, options),
  });
  expect(store.range({ ...options, ...range, revision: model.revision + 1 })).toEqual({
    kind: 'futureRevision',
    revision: model.revision,
  });
  if (model.compacted > 1) {
    const compacted = { kind: 'compacted', compactedRevision: model.compacted };
    expect(store.range({ ...options, ...range, revision: model.compacted - 1 })).toEqual(compacted);
    expect(store.hash(model.compacted - 1)).toEqual(compacted);
  }
}

function expectSameWatch(store: MvccStore, model: NaiveStore, prng: Prng): void {
  const flag = (): boolean => prng.nextBelow(3) === 0;
  const what = { ...randomRange(prng), noPuts: flag(), noDeletes: flag(), wantsPrevious: flag() };
  const from = model.compacted + 1 + prng.nextBelow(model.revision - model.compacted + 1);
  const seen: WatchEvent[] = [];
  let position = { revision: from, skip: 0 };
  for (let isSynced = false; !isSynced;) {
    const bounds = { eventsMax: 1 + prng.nextBelow(3), sizeBytesMax: 1 + prng.nextBelow(220) };
    const answer = store.watch({ ...what, ...bounds, from: position });
    if (answer.kind !== 'events') throw new Error('revisions above the compacted one can be watched');
    seen.push(...answer.events);
    position = answer.next;
    isSynced = answer.isSynced;
  }
  expect(position).toEqual({ revision: Math.max(from, model.revision + 1), skip: 0 });
  expect(seen).toEqual(model.events(what, from));
  expect(
    store.watch({ ...what, from: { revision: model.compacted, skip: 0 }, eventsMax: 1, sizeBytesMax: 1 }),
  ).toEqual({ kind: 'compacted', compactedRevision: model.compacted });
}

/** The same state has the same hash, and no other state has it. */
class Hashes {
  readonly #states = new Map<string, string>();

  expectRight(store: MvccStore, model: NaiveStore, revision: number): void {
    const outcome = store.hash(revision);
    if (outcome.kind !== 'hash') throw new Error('revisions that are kept have a hash');
    const state = JSON.stringify([...(model.states.get(outcome.revision) as State)].sort());
    expect(this.#states.get(outcome.hash) ?? state).toBe(state);
    this.#states.set(outcome.hash, state);
  }
}

function expectSameLeases(store: MvccStore, model: NaiveStore): void {
  const leases = [...model.leases].map(([lease, ttlMs]) => ({ lease, ttlMs }));
  expect(store.listLeases()).toEqual(leases.sort((a, b) => a.lease - b.lease));
  for (const { lease } of leases) {
    const keys = [...model.now.values()].filter((item) => item.lease === lease).map(({ key }) => key);
    expect([...store.leaseKeys(lease)].sort()).toEqual(keys.sort());
  }
}

describe('MvccStore against a model', () => {
  it.each(Array.from({ length: 80 }, (_, i) => i + 1))('agrees with it (seed %i)', (seed) => {
    const prng = seededPrng(seed);
    const model = new NaiveStore();
    let store = new MvccStore();
    const undisturbed = new MvccStore();
    const hashes = new Hashes();
    let underWay: {
      readonly chunks: Iterator<Uint8Array>;
      readonly taken: Uint8Array[];
      readonly whole: Buffer;
    } | null = null;
    for (let step = 0; step < STEPS; step++) {
      const command = decodeCommand(encodeCommand(randomCommand(prng, model)));
      const outcome = model.apply(command);
      expectSame(store.apply(command, TERM), outcome);
      expectSame(undisturbed.apply(command, TERM), outcome);
      if (prng.nextBelow(25) === 0) store = storeOf([bytesOf(store)]);
      if (prng.nextBelow(60) === 0) {
        const revision = model.revision + 1 + prng.nextBelow(3);
        for (const each of [model, store, undisturbed]) each.jumpTo(revision);
      }
      expect(store.sizeBytes).toBe(model.sizeBytes);
      expectSameRange(store, model, prng);
      expectSameWatch(store, model, prng);
      hashes.expectRight(prng.nextBelow(2) === 0 ? store : undisturbed, model, 0);
      hashes.expectRight(
        store,
        model,
        model.compacted + prng.nextBelow(model.revision - model.compacted + 1),
      );

      // A snapshot that is read while the store goes on is one of when it was begun.
      if (underWay === null) {
        underWay = {
          chunks: snapshotOf(undisturbed)[Symbol.iterator](),
          taken: [],
          whole: bytesOf(undisturbed),
        };
      } else if (prng.nextBelow(3) === 0) {
        const next = underWay.chunks.next();
        if (next.done !== true) underWay.taken.push(next.value);
        else {
          expect(Buffer.concat(underWay.taken)).toEqual(underWay.whole);
          underWay = null;
        }
      }
    }
    expectSameLeases(store, model);
    expect(bytesOf(store)).toEqual(bytesOf(undisturbed));
  });
});
