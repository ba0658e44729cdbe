import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WATCH_SIGN_OF_LIFE_MS, type WatchFrame, decodeWatchFrame, openFrame } from '@ringleader/contracts';
import type { NatsLink } from '@ringleader/nats';
import type { Self } from '@ringleader/service-host';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { WatchService } from './watch.service.js';

const GATEWAY = { service: 'gateway', member: 'gateway-1' } as const;

describe('WatchService', () => {
  let group: GroupOfOne;
  let watches: WatchService;
  let sent: [inbox: string, frame: WatchFrame][];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate'] });
    [group, sent] = [new GroupOfOne(), []];
    const publish = (inbox: string, data: Uint8Array): boolean => {
      const opened = openFrame(data);
      const frame = decodeWatchFrame(opened.kind === 'opened' ? opened.content : data);
      if (frame.kind === 'watch') sent.push([inbox, frame]);
      return true;
    };
    const self = { cluster: 'test' } as Self;
    watches = new WatchService(group.store, self, { publish } as unknown as NatsLink, new ManualClock());
    watches.onApplicationBootstrap();
  });
  afterEach(() => {
    watches.beforeApplicationShutdown();
    jest.useRealTimers();
  });

  const open = (stream: string): Promise<unknown> =>
    watches.stream(
      { stream, isNew: true, received: 0, add: [{ id: 1, key: 'a', fromRevision: 1 }] },
      GATEWAY,
    );
  const put = async (key: string): Promise<void> => {
    const operation = { kind: 'put', key, value: Buffer.of(1), lease: 0, wantsPrevious: false } as const;
    await group.store.propose({ kind: 'txn', compare: [], success: [operation], failure: [] });
    await new Promise(setImmediate);
  };

  it('pushes into the inbox of whom the subject names, sealed, what has gathered in a turn', async () => {
    await open('s1');
    await Promise.all([put('a'), put('b'), put('a')]);
    expect(sent).toMatchObject([
      ['_INBOX.rl.test.gateway.gateway-1.watch.s1', { number: 1, records: [{}, {}], syncedRevision: 3 }],
    ]);
  });

  const sweeps = (count: number): Promise<void> =>
    jest.advanceTimersByTimeAsync(count * WATCH_SIGN_OF_LIFE_MS);
  const said = (): [isSign: boolean, isLast: boolean][] =>
    sent.map(([, { isSign, isLast }]) => [isSign, isLast]);

  it('sends all away when it has known no leader for a while, and takes nobody then', async () => {
    await open('s1');
    group.lead({ term: 2, leader: 0, leading: false });
    await expect(open('s2')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await sweeps(1);
    expect(sent).toEqual([]);
    // An election in between ends nothing.
    group.lead({ term: 3, leader: 1, leading: true });
    await sweeps(1);
    group.lead({ term: 4, leader: 0, leading: false });
    await sweeps(2);
    expect(said()).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(watches.watchCount).toBe(0);
  });

  it('sends all away when it does not come up with the group for a while, and takes nobody then', async () => {
    await open('s1');
    const poll = { key: 'a', fromRevision: 1, waitMs: 0 };
    group.hasQuorum = false;
    await expect(open('s2')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await sweeps(1);
    expect(sent).toEqual([]);
    await expect(watches.poll(poll)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    group.hasQuorum = true;
    await sweeps(1);
    expect(await watches.poll(poll)).toMatchObject({ events: [] });
    group.hasQuorum = false;
    await sweeps(2);
    expect(said()).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(watches.watchCount).toBe(0);
  });

  it('tells from a snapshot’s history what happened before it was installed', async () => {
    await open('s1');
    await put('a');
    const ahead = new GroupOfOne();
    const operation = { kind: 'put', key: 'a', value: Buffer.of(2), lease: 0, wantsPrevious: false } as const;
    const txn = { kind: 'txn', compare: [], success: [operation], failure: [] } as const;
    for (let i = 0; i < 3; i++) await ahead.store.propose(txn);
    await group.machine.restore(Readable.from([...ahead.machine.snapshot()]));
    await new Promise(setImmediate);
    const told = sent.flatMap(([, { records }]) => records.map(({ event }) => event.item.modRevision));
    expect(told).toEqual([1, 2, 3]);
  });

  it('sends all away when it stops', async () => {
    await open('s1');
    watches.beforeApplicationShutdown();
    expect(sent).toMatchObject([[expect.any(String), { isLast: true }]]);
    await expect(open('s2')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
