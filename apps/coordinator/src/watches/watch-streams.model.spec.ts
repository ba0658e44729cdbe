/**
 * Members and a client of watches, over a network that loses frames and requests, against the obvious way: a store that
 * forgets nothing, asked for everything at once. Streams are tiny, so that watches fall behind and revisions come in parts.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WatchedEvent } from '@ringleader/contracts';
import type { WatchOptions } from '@ringleader/coordination';
import { type Command, MvccStore, type Operation } from '@ringleader/mvcc';
import { type Prng, seededPrng } from '@ringleader/primitives';
import { until } from '@ringleader/testing-servers';
import { WatchNetwork } from '../../test/watch-network.js';

const LIMITS = {
  streamsMax: 100,
  watchesPerStreamMax: 100,
  windowBytes: 700,
  crowdedBytes: 300,
  allBytes: 1_000,
  frameBytes: 150,
  turnMs: 1_000,
};
const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/\u{1f600}', 'c', 'd'];
const STEPS = 150;

const pick = <T>(prng: Prng, items: readonly T[]): T => items[prng.nextBelow(items.length)] as T;
const oneIn = (prng: Prng, count: number): boolean => prng.nextBelow(count) === 0;

function randomCommand(prng: Prng, reference: MvccStore): Command {
  const compactable = reference.revision - reference.compactedRevision;
  if (compactable > 0 && oneIn(prng, 12))
    return { kind: 'compact', revision: reference.revision - prng.nextBelow(9) };
  const keys = KEYS.filter(() => oneIn(prng, 2));
  const operation = (key: string): Operation => {
    if (oneIn(prng, 4)) return { kind: 'delete', key, rangeEnd: null, wantsPrevious: false };
    const value = new Uint8Array(prng.nextBelow(120)).fill(prng.nextBelow(256));
    return { kind: 'put', key, value, lease: 0, wantsPrevious: false };
  };
  return { kind: 'txn', compare: [], success: keys.map(operation), failure: [] };
}

function randomOptions(prng: Prng, revision: number): WatchOptions {
  const isRange = oneIn(prng, 2);
  return {
    key: pick(prng, ['', ...KEYS]),
    ...(isRange && { rangeEnd: pick(prng, ['', ...KEYS]) }),
    fromRevision: Math.max(1, revision + 3 - prng.nextBelow(12)),
    noPuts: oneIn(prng, 5),
    noDeletes: oneIn(prng, 5),
    wantsPrevious: oneIn(prng, 3),
  };
}

/** The first that was wrong: a listener that throws would end the process. */
let wrong: Error | null = null;
function check(expectations: () => void): void {
  if (wrong !== null) return;
  try {
    expectations();
  } catch (error) {
    wrong = error as Error;
  }
}

/** What one watch was told, and whether that is right. */
class Follower {
  #from: number;
  #received: WatchedEvent[] = [];
  #progress = 0;
  cancel = (): void => undefined;

  constructor(
    private readonly network: WatchNetwork,
    private readonly reference: MvccStore,
    private readonly options: WatchOptions,
  ) {
    this.#from = options.fromRevision;
    this.#watch();
  }

  #watch(): void {
    const { cancel } = this.network.client.watch(
      { ...this.options, fromRevision: this.#from },
      {
        onEvents: (events, revision) => {
          this.#received.push(...events);
          check(() => expect(revision).toBe(events.at(-1)?.item.modRevision));
          this.#expectRight(revision);
        },
        onProgress: (revision) => {
          check(() => expect(revision).toBeGreaterThanOrEqual(this.#progress));
          this.#progress = revision;
          this.#expectRight(revision);
        },
        onEnd: (error) => {
          const next = Number(error.details['compactedRevision']) + 1;
          check(() => {
            expect(error.code).toBe('COMPACTED');
            expect(next).toBeGreaterThan(this.#from);
            expect(next).toBeGreaterThan(this.#received.at(-1)?.item.modRevision ?? 0);
          });
          this.#from = next;
          this.#received = [];
          this.#watch();
        },
      },
    );
    this.cancel = cancel;
  }

  /** All of the revisions up to this one, and nothing else. */
  #expectRight(revision: number): void {
    const { key, rangeEnd = null, noPuts = false, noDeletes = false, wantsPrevious = false } = this.options;
    const rest = { noPuts, noDeletes, wantsPrevious };
    const from = { revision: this.#from, skip: 0 };
    const all = this.reference.watch({ ...rest, key, rangeEnd, from, eventsMax: 1e9, sizeBytesMax: 1e9 });
    if (all.kind !== 'events') throw new Error('the reference forgets nothing');
    const { events } = all;
    check(() => expect(this.#received).toEqual(events.filter(({ item }) => item.modRevision <= revision)));
  }

  get isThere(): boolean {
    return this.#progress >= this.reference.revision || this.#from > this.reference.revision;
  }
}

/** Members go on, each at its pace; some take a snapshot, send their clients away, or begin anew. */
function disturb(network: WatchNetwork, prng: Prng): void {
  for (const member of network.members) if (oneIn(prng, 2)) member.apply(prng.nextBelow(6));
  if (oneIn(prng, 2)) network.turn();
  if (oneIn(prng, 8)) network.sweep();
  const [one, other] = [pick(prng, network.members), pick(prng, network.members)];
  if (oneIn(prng, 15) && one.applied <= other.applied) one.install(other);
  if (oneIn(prng, 25)) one.streams.endAll();
  if (oneIn(prng, 40)) one.start();
}

describe('watches over a network that loses', () => {
  let network: WatchNetwork;
  beforeEach(() => {
    wrong = null;
  });
  afterEach(() => network.client.close());

  it.each(Array.from({ length: 6 }, (_, i) => i + 1))(
    'tell all that happens, in order, once, in whole revisions (seed %i)',
    async (seed) => {
      const prng = seededPrng(seed);
      // Of their own: how many ask depends on the machine, and what happens in the test must not.
      const losses = seededPrng(seed + 1_000);
      network = new WatchNetwork(3, LIMITS);
      const reference = new MvccStore();
      const followers: Follower[] = [];
      network.passes = () => !oneIn(losses, 60);
      network.fate = () =>
        pick(losses, ['answered', ...Array<'answered'>(30).fill('answered'), 'lost', 'lostAnswer']);
      for (let step = 0; step < STEPS; step++) {
        const command = randomCommand(prng, reference);
        network.commands.push(command);
        if (command.kind !== 'compact') reference.apply(command, 1);
        if (oneIn(prng, 6))
          followers.push(new Follower(network, reference, randomOptions(prng, reference.revision)));
        if (oneIn(prng, 20)) followers.splice(prng.nextBelow(followers.length + 1), 1)[0]?.cancel();
        disturb(network, prng);
        if (wrong !== null) throw wrong;
        await new Promise(oneIn(prng, 3) ? (done) => setTimeout(done, 1) : setImmediate);
      }
      network.passes = () => true;
      network.fate = () => 'answered';
      const areThere = (): boolean => {
        for (const member of network.members) member.apply(network.commands.length);
        network.turn();
        network.sweep();
        if (wrong !== null) throw wrong;
        return followers.every(({ isThere }) => isThere);
      };
      await until('all to have been told all', areThere, { timeoutMs: 10_000, everyMs: 2 });
      expect(followers.length).toBeGreaterThan(5);
    },
    20_000,
  );
});
