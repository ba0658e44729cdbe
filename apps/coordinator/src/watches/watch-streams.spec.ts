import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type RequestOf,
  WATCH_STREAM_EXPIRES_MS,
  type WatchFrame,
  contentOf,
  type coordinatorContracts,
  decodeWatchFrame,
} from '@ringleader/contracts';
import { MvccStore, snapshotOf, storeOf } from '@ringleader/mvcc';
import { StoreFollowers } from './store-followers.js';
import { WATCH_LIMITS } from './watch-stream.js';
import { WatchStreams } from './watch-streams.js';

type Said = RequestOf<typeof coordinatorContracts.watchStream>;
type Added = NonNullable<Said['add']>[number];

const LIMITS = {
  ...WATCH_LIMITS,
  streamsMax: 2,
  watchesPerStreamMax: 3,
  windowBytes: 2_000,
  crowdedBytes: 200,
  allBytes: 3_000,
  frameBytes: 500,
};

describe('WatchStreams', () => {
  let store: MvccStore;
  let followers: StoreFollowers;
  let streams: WatchStreams;
  let frames: WatchFrame[];
  let now: number;
  /** Between two looks at the clock. */
  let passes: number;

  beforeEach(() => {
    [store, frames, now, passes] = [new MvccStore(), [], 0, 0];
    followers = new StoreFollowers(() => store);
    streams = new WatchStreams({
      ...{
        store: () => store,
        followers,
        limits: LIMITS,
        nowMs: () => (now += passes),
        onWork: () => undefined,
      },
      send: (_, frame) => {
        const decoded = decodeWatchFrame(contentOf(frame));
        if (decoded.kind === 'malformed') throw new Error(decoded.reason);
        frames.push(decoded);
      },
    });
  });

  const put = (keys: readonly string[], value = ''): void => {
    const put = (key: string) => ({ kind: 'put', key, value: Buffer.from(value), lease: 0 }) as const;
    const success = keys.map((key) => ({ ...put(key), wantsPrevious: false }));
    store.apply({ kind: 'txn', compare: [], success, failure: [] }, 1);
    followers.advance();
  };
  const say = (request: Partial<Said>, inbox = 'inbox'): unknown =>
    streams.request(inbox, { stream: 's', received: 0, ...request });
  const watch = (id: number, more: Partial<Added> = {}): Added => ({
    id,
    key: 'a',
    fromRevision: 1,
    ...more,
  });
  const told = (): string[] =>
    frames
      .splice(0)
      .flatMap(({ records }) =>
        records.map(
          ({ watches, event: { kind, item } }) => `${watches.join()} ${kind} ${item.key}@${item.modRevision}`,
        ),
      );

  it('tell what has happened, then what happens, and an event once for all watches of the stream', () => {
    put(['a']);
    put(['b']);
    say({ isNew: true, add: [watch(1), watch(2, { key: '', rangeEnd: '', fromRevision: 2 }), watch(3)] });
    streams.turn();
    expect(told()).toEqual(['1,3 put a@1', '2 put b@2']);
    put(['a', 'c']);
    put(['b']);
    streams.turn();
    expect(frames).toMatchObject([{ number: 2, syncedRevision: 4, partial: [] }]);
    expect(told()).toEqual(['1,3,2 put a@3', '2 put c@3', '2 put b@4']);
    say({ cancel: [2, 7] });
    put(['a', 'b']);
    streams.turn();
    expect(told()).toEqual(['1,3 put a@5']);
  });

  it('say by themselves that a revision is whole whose end went with a full frame', () => {
    say({ isNew: true, add: [watch(1, { key: '', rangeEnd: '' })] });
    streams.turn();
    frames.length = 0;
    put(['a', 'b'], 'x'.repeat(500));
    streams.turn();
    expect(frames.map(({ partial, syncedRevision }) => [partial, syncedRevision])).toEqual([
      [[1], 0],
      [[1], 0],
      [[], 1],
    ]);
  });

  it('keep nothing for a client that does not say what it received, and go on when it does', () => {
    say({ isNew: true, add: [watch(1)] });
    streams.turn();
    for (let i = 0; i < 100; i++) {
      put(['a'], 'x'.repeat(100));
      streams.turn();
    }
    const received = frames.at(-1)?.number ?? 0;
    expect(told().length).toBeLessThan(30);
    expect([streams.behindCount, streams.watchCount]).toEqual([1, 1]);
    const rest: string[] = [];
    for (let number = received; streams.behindCount > 0; number += frames.length, rest.push(...told())) {
      say({ received: number });
      streams.turn();
    }
    expect(rest.at(-1)).toBe('1 put a@100');
    put(['a']);
    streams.turn();
    expect(told()).toEqual(['1 put a@101']);
  });

  it('send less ahead to each client once there are many that receive nothing', () => {
    say({ isNew: true, add: [watch(1)] }, 'one');
    say({ isNew: true, add: [watch(1)] }, 'two');
    streams.turn();
    for (let i = 0; i < 20; i++) {
      put(['a'], 'x'.repeat(100));
      streams.turn();
    }
    // Both windows would have room for fifteen or so.
    const ahead = frames.length;
    expect(ahead).toBeLessThan(28);
    say({ isClosed: true }, 'one');
    say({ received: 0 }, 'two');
    streams.turn();
    expect(frames.length).toBeGreaterThan(ahead);
  });

  it('go on for all clients in turn, also beside one that goes through a long history over and over', () => {
    for (let i = 0; i < 300; i++) put(['b']);
    put(['z']);
    passes = LIMITS.turnMs;
    say({ isNew: true, add: [watch(1)] }, 'first');
    say({ isNew: true, add: [watch(1, { key: 'z', fromRevision: 301 })] }, 'second');
    for (let id = 2; id < 9; id++) {
      streams.turn();
      say({ cancel: [id - 1], add: [watch(id)] }, 'first');
    }
    expect(told()).toEqual(['1 put z@301']);
  });

  it('end a watch from a revision that is compacted, and no other', () => {
    put(['a']);
    put(['a']);
    store.apply({ kind: 'compact', revision: 1 }, 1);
    say({ isNew: true, add: [watch(1), watch(2, { fromRevision: 2 })] });
    streams.turn();
    expect(frames).toMatchObject([{ cancelled: [{ id: 1, compactedRevision: 1 }] }]);
    expect(told()).toEqual(['2 put a@2']);
    expect(streams.watchCount).toBe(1);
    // Who is synced is told what was compacted in the same turn.
    put(['a']);
    store.apply({ kind: 'compact', revision: 3 }, 1);
    streams.turn();
    expect(told()).toEqual(['2 put a@3']);
  });

  it('end what was watched before the cluster was restored: revisions have jumped forward', () => {
    for (let i = 0; i < 5; i++) put(['a']);
    store = storeOf([Buffer.concat([...snapshotOf(store)])]);
    store.jumpTo(1_000_000_000);
    followers.restart();
    say({ isNew: true, add: [watch(1, { fromRevision: 6 }), watch(2, { fromRevision: 1_000_000_001 })] });
    streams.turn();
    expect(frames).toMatchObject([{ cancelled: [{ id: 1, compactedRevision: 1_000_000_000 }] }]);
  });

  it('say how far all was told on demand, but not while a watch is behind', () => {
    say({ isNew: true, add: [watch(1)] });
    for (let i = 0; i < 50; i++) put(['a'], 'x'.repeat(100));
    say({ wantsProgress: true });
    streams.turn();
    expect(frames.some(({ isSign, syncedRevision }) => isSign || syncedRevision > 0)).toBe(false);
    for (let turns = 0; turns < 20; turns++) {
      say({ received: frames.at(-1)?.number ?? 0 });
      streams.turn();
    }
    expect(frames.filter(({ isSign }) => isSign)).toMatchObject([{ syncedRevision: 50 }]);
  });

  it('have bounds', () => {
    const code = (request: Partial<Said>, inbox?: string): unknown => {
      try {
        return say(request, inbox);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code({})).toBe('UNAVAILABLE');
    say({ isNew: true, add: [watch(1), watch(2)] });
    expect(code({ isNew: true })).toBe('INVALID_ARGUMENT');
    expect(code({ add: [watch(2)] })).toBe('INVALID_ARGUMENT');
    expect(code({ add: [watch(3), watch(4)] })).toBe('INVALID_ARGUMENT');
    say({ isNew: true }, 'another');
    expect(code({ isNew: true }, 'third')).toBe('OVERLOADED');
    say({ isClosed: true }, 'another');
    say({ isNew: true }, 'third');
    expect(streams.streamCount).toBe(2);
  });

  it('do nothing of a request that is refused', () => {
    put(['a']);
    expect(() => say({ isNew: true, add: [watch(1), watch(1)] })).toThrow('There is a watch of this number');
    say({ isNew: true, add: [watch(1), watch(2)] });
    expect(() => say({ cancel: [1], add: [watch(3), watch(2)] })).toThrow('There is a watch of this number');
    expect(() => say({ cancel: [1], add: [watch(1), watch(3), watch(4)] })).toThrow('as many watches');
    streams.turn();
    expect(told()).toEqual(['1,2 put a@1']);
    say({ cancel: [1], add: [watch(1), watch(3)] });
    expect(streams.watchCount).toBe(3);
  });

  it('give signs of life, and forget a client that gives none', () => {
    say({ isNew: true, add: [watch(1)] });
    streams.turn();
    now = WATCH_STREAM_EXPIRES_MS;
    streams.sweep();
    expect(frames).toMatchObject([{ number: 1, isSign: true, syncedRevision: 0 }]);
    now += 1;
    streams.sweep();
    expect([streams.streamCount, streams.watchCount, frames.length]).toEqual([0, 0, 1]);
    put(['a']);
    streams.turn();
    expect(frames).toHaveLength(1);
  });

  it('send everybody away', () => {
    say({ isNew: true, add: [watch(1)] });
    streams.turn();
    put(['a']);
    streams.endAll();
    expect(frames.at(-1)).toMatchObject({ isLast: true });
    expect(told()).toEqual(['1 put a@1']);
    expect(streams.streamCount).toBe(0);
  });
});
