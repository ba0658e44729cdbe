import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  OperationalError,
  type RequestOf,
  WATCH_SIGN_OF_LIFE_MS,
  type WatchFrameHead,
  type WatchedEvent,
  type coordinatorContracts,
  encodeWatchFrame,
  encodeWatchedEvent,
  reserveEnvelope,
  sealFrame,
} from '@ringleader/contracts';
import { ByteWriter } from '@ringleader/primitives';
import { WatchClient, type WatchListener } from './watch-client.js';

type Said = RequestOf<typeof coordinatorContracts.watchStream>;

const WINDOW_BYTES = 16_000;
const REFUSED = new OperationalError('INVALID_ARGUMENT', 'as the test wants it');

function event(key: string, modRevision: number, length = 0): WatchedEvent {
  const item = { key, value: new Uint8Array(length), createRevision: 1, modRevision, version: 1, lease: 0 };
  return { kind: 'put', item, previous: null };
}

describe('WatchClient', () => {
  let said: (Said & { readonly member: number })[];
  let refused: string[];
  /** What the next requests come to instead of an answer. */
  let refusals: OperationalError[];
  let isRefused: (request: Said) => boolean;
  let inboxes: ((data: Uint8Array) => void)[];
  let number: number;
  let told: string[];
  /** Members whose process has ended. */
  let ended: number[];
  let client: WatchClient;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate'] });
    [said, refused, refusals, inboxes, number, told] = [[], [], [], [], 0, []];
    isRefused = () => false;
    ended = [];
    const call = async (_: unknown, subject: string, request: unknown): Promise<unknown> => {
      said.push({ ...(request as Said), member: Number(subject.split('.').at(-2)) });
      await Promise.resolve();
      const error = isRefused(request as Said) ? REFUSED : refusals.shift();
      if (error !== undefined) return { kind: 'failed', error };
      return { kind: 'answered', response: { sent: number, windowBytes: WINDOW_BYTES } };
    };
    const subscribe = (
      _: string,
      { callback }: { callback: (error: null, message: object) => void },
    ): unknown => {
      const inbox = (data: Uint8Array): void => callback(null, { data });
      inboxes.push(inbox);
      number = 0;
      return { unsubscribe: () => (inboxes = inboxes.filter((other) => other !== inbox)) };
    };
    const link = {
      subscribe,
      hear: () => undefined,
      frames: { refuse: (name: string, why: string) => refused.push(`${name} ${why}`) },
    };
    client = new WatchClient({
      ...{ link, control: { call }, cluster: 'test', speaker: { service: 'gateway', member: 'g' } },
      ...{ members: [1, 2, 3], firstMember: () => 2 },
      isThere: (member: number) => Promise.resolve(!ended.includes(member)),
    } as unknown as ConstructorParameters<typeof WatchClient>[0]);
  });
  afterEach(async () => {
    await client.close();
    jest.useRealTimers();
  });

  const settle = async (ms = 0): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await jest.advanceTimersByTimeAsync(i === 0 ? ms : 1);
      await new Promise(setImmediate);
    }
  };
  const frame = (records: [number[], WatchedEvent][], head: Partial<WatchFrameHead> = {}): Buffer => {
    const writer = new ByteWriter();
    const encoded = records.map(([watches, one]) => ({ watches, event: encodeWatchedEvent(writer, one) }));
    const plain = { syncedRevision: 0, isSign: false, isLast: false, cancelled: [], partial: [] };
    reserveEnvelope(writer);
    return sealFrame(
      encodeWatchFrame(writer, { ...plain, number: (number += 1), ...head }, encoded),
    ) as Buffer;
  };
  const push = (...args: Parameters<typeof frame>): void => {
    for (const inbox of inboxes) inbox(frame(...args));
  };
  const listener = (name: string): WatchListener => ({
    onEvents: (events) =>
      told.push(`${name} ${events.map(({ item }) => `${item.key}@${item.modRevision}`).join()}`),
    onProgress: (revision) => told.push(`${name} up to ${revision}`),
    onEnd: ({ code }) => told.push(`${name} ${code}`),
    onTrouble: ({ code }) => told.push(`${name} trouble ${code}`),
  });
  const added = (): [number, number[][]] => {
    const { member, add = [] } = said.at(-1)!;
    return [member, add.map(({ id, fromRevision }) => [id, fromRevision])];
  };

  it('puts all watches on one stream, and hands over whole revisions', async () => {
    client.watch({ key: 'a', fromRevision: 1 }, listener('A'));
    client.watch({ key: 'b', fromRevision: 4 }, listener('B'));
    await settle();
    expect(said).toMatchObject([{ isNew: true, member: 2, received: 0 }]);
    expect(added()).toEqual([
      2,
      [
        [1, 1],
        [2, 4],
      ],
    ]);
    push(
      [
        [[1, 2], event('a', 5)],
        [[2], event('b', 5)],
        [[2], event('b', 6)],
      ],
      { partial: [2] },
    );
    expect(told.splice(0)).toEqual(['A a@5', 'B a@5,b@5']);
    push([[[2], event('c', 6)]]);
    push([], { isSign: true, syncedRevision: 7 });
    expect(told).toEqual(['B b@6,c@6', 'A up to 7', 'B up to 7']);
  });

  it('says what it received before the window is full, and that it is there when nothing happens', async () => {
    client.watch({ key: 'a', fromRevision: 1 }, listener('A'));
    await settle();
    push([[[1], event('a', 1, WINDOW_BYTES / 12)]]);
    await settle();
    expect(said.slice(1)).toMatchObject([{ isNew: false, received: 1 }]);
    for (let sign = 0; sign < 4; sign++) {
      push([], { isSign: true, syncedRevision: 1 });
      await settle(WATCH_SIGN_OF_LIFE_MS);
    }
    expect(said.slice(2)).toMatchObject([{ received: expect.any(Number) }]);
  });

  it('goes on at the next member as soon as NATS says that the process has ended', async () => {
    client.watch({ key: 'a', fromRevision: 1 }, listener('A'));
    await settle();
    push([[[1], event('a', 5)]]);
    await settle(900);
    expect(told).toEqual(['A a@5']);
    ended = [2];
    await settle(500);
    expect(told).toEqual(['A a@5', 'A trouble UNAVAILABLE']);
    expect(added()).toEqual([3, [[1, 6]]]);
  });

  it('goes on at the next member, from what was not handed over, after silence', async () => {
    client.watch({ key: 'a', fromRevision: 1 }, listener('A'));
    client.watch({ key: 'b', fromRevision: 1 }, listener('B'));
    await settle();
    push(
      [
        [[1], event('a', 5)],
        [[1], event('a', 6)],
      ],
      { partial: [1] },
    );
    await settle(WATCH_SIGN_OF_LIFE_MS);
    push([], { isSign: true, syncedRevision: 0, partial: [1] });
    expect(said).toHaveLength(1);
    await settle(4 * WATCH_SIGN_OF_LIFE_MS);
    expect(told).toEqual(['A a@5', 'A trouble UNAVAILABLE', 'B trouble UNAVAILABLE']);
    expect(said.at(-2)).toMatchObject({ isClosed: true, member: 2 });
    expect(added()).toEqual([
      3,
      [
        [1, 6],
        [2, 1],
      ],
    ]);
    // Idle watches go on behind what was told to be complete, so that no compaction overtakes them.
    push([], { isSign: true, syncedRevision: 9 });
    push([], { isLast: true });
    await settle();
    expect(added()).toEqual([
      1,
      [
        [1, 10],
        [2, 10],
      ],
    ]);
  });

  it('goes on elsewhere when a frame is lost, or damaged', async () => {
    client.watch({ key: 'a', fromRevision: 1 }, listener('A'));
    await settle();
    push([[[1], event('a', 5)]]);
    number += 1;
    push([[[1], event('a', 7)]]);
    await settle();
    expect(added()).toEqual([3, [[1, 6]]]);
    const damaged = frame([[[1], event('a', 6)]]);
    damaged[damaged.length - 1]! ^= 1;
    for (const inbox of inboxes) inbox(damaged);
    push([[[1], event('a', 7)]]);
    await settle();
    expect(added()).toEqual([1, [[1, 6]]]);
    expect(refused).toEqual(['watch checksum']);
    expect(told.filter((text) => !text.includes('trouble'))).toEqual(['A a@5']);
  });

  it('asks each member at once, and then in growing intervals', async () => {
    const away = (): OperationalError => new OperationalError('UNAVAILABLE', 'as the test wants it');
    refusals = Array.from({ length: 6 }, away);
    client.watch({ key: 'a', fromRevision: 1 }, listener('A'));
    for (let i = 0; i < 3; i++) await settle();
    expect(said.map(({ member }) => member)).toEqual([2, 3, 1]);
    for (let i = 0; i < 4; i++) await settle(50);
    expect(said.map(({ member }) => member)).toEqual([2, 3, 1, 2, 3, 1, 2]);
    // Once for each round.
    expect(told.splice(0)).toEqual(['A trouble UNAVAILABLE', 'A trouble UNAVAILABLE']);
    push([[[1], event('a', 1)]]);
    expect(told).toEqual(['A a@1']);
  });

  it('ends a watch that is compacted or refused, and no other', async () => {
    client.watch({ key: 'a', fromRevision: 1 }, listener('A'));
    client.watch({ key: 'b', fromRevision: 1 }, listener('B'));
    await settle();
    push([[[1], event('a', 2)]], { cancelled: [{ id: 1, compactedRevision: 3 }], partial: [1] });
    expect(told.splice(0)).toEqual(['A COMPACTED']);
    refusals = [new OperationalError('INVALID_ARGUMENT', 'as the test wants it')];
    client.watch({ key: '', fromRevision: 1 }, listener('C'));
    await settle();
    expect(told.splice(0)).toEqual(['C INVALID_ARGUMENT']);
    push([[[1, 2, 3], event('b', 4)]]);
    expect(told).toEqual(['B b@4']);
  });

  it('says of a watch that a restore of the coordinators ended why it ended', async () => {
    const ends: OperationalError[] = [];
    client.watch({ key: 'a', fromRevision: 5 }, { ...listener('A'), onEnd: (error) => ends.push(error) });
    await settle();
    push([], { cancelled: [{ id: 1, compactedRevision: 1_000_000_004 }] });
    expect(ends).toMatchObject([{ code: 'COMPACTED', details: { restored: true } }]);
    expect(ends[0]?.message).toMatch(/^Revision 5 was before the coordinators were restored from a snapshot/);
  });

  it('ends the watch alone that is refused among others, and says all else again that was said with it', async () => {
    client.watch({ key: 'stays', fromRevision: 1 }, listener('stays'));
    const first = client.watch({ key: '1', fromRevision: 1 }, listener('1'));
    await settle();
    said = [];
    isRefused = ({ add = [] }) => add.some(({ key }) => key === 'wrong');
    first.cancel();
    for (const key of ['2', '3', 'wrong', '5', '6']) client.watch({ key, fromRevision: 1 }, listener(key));
    client.watch({ key: '7', fromRevision: 1 }, listener('7')).requestProgress();
    await settle(1);
    expect(told).toEqual(['wrong INVALID_ARGUMENT']);
    const accepted = said.filter((request) => !isRefused(request));
    expect(accepted.flatMap(({ add = [] }) => add.map(({ key }) => key))).toEqual(['2', '3', '5', '6', '7']);
    expect(accepted.flatMap(({ cancel = [] }) => cancel)).toEqual([2]);
    expect(accepted.filter(({ wantsProgress }) => wantsProgress)).toHaveLength(1);
  });

  it('leaves its listeners alone once they have cancelled, and the member with the last', async () => {
    const cancelled = client.watch(
      { key: 'a', fromRevision: 1 },
      { onEvents: () => (told.push('A'), cancelled.cancel()) },
    );
    const last = client.watch({ key: 'b', fromRevision: 1 }, listener('B'));
    await settle();
    push([[[1, 2], event('a', 1)]]);
    push([[[1, 2], event('a', 2)]]);
    await settle();
    expect(told).toEqual(['A', 'B a@1', 'B a@2']);
    expect(said.at(-1)).toMatchObject({ cancel: [1] });
    last.cancel();
    await settle();
    expect(said.at(-1)).toMatchObject({ isClosed: true });
    expect([inboxes.length, jest.getTimerCount()]).toEqual([0, 0]);
  });
});
