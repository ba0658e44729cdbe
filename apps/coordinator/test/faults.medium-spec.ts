import { afterEach, describe, expect, it } from '@jest/globals';
import { keyAfter, memberKey, prefixRange } from '@ringleader/contracts';
import type { KeyValue, WatchedEvent } from '@ringleader/contracts';
import { MemberRegistration } from '@ringleader/coordination';
import type { CoordinationClient } from '@ringleader/coordination';
import type { MemberId } from '@ringleader/primitives';
import { until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';
import { UniqueWriters } from './unique-writers.js';

const TIMEOUT_MS = 90_000;

async function listAll(
  client: CoordinationClient,
  prefix: string,
  serializable: boolean,
): Promise<KeyValue[]> {
  const range = prefixRange(prefix);
  const items: KeyValue[] = [];
  for (let key = range.key; ; key = keyAfter(items.at(-1)?.key ?? '')) {
    const page = await client.range({ ...range, key, serializable });
    items.push(...page.items);
    if (!page.more) return items;
  }
}

/** A watch from the first revision on, which the test disturbs. */
class WatchedKeys {
  readonly #events: WatchedEvent[] = [];

  constructor(
    private readonly client: CoordinationClient,
    private readonly prefix: string,
  ) {
    client.watch(
      { ...prefixRange(prefix), fromRevision: 1 },
      { onEvents: (events) => this.#events.push(...events) },
    );
  }

  /** Each key that there is was created once, in the order of their revisions. */
  async expectAll(): Promise<void> {
    const created = (await listAll(this.client, this.prefix, false))
      .sort((a, b) => a.modRevision - b.modRevision)
      .map(({ key, modRevision }) => [key, modRevision]);
    await until('all events', () => this.#events.length >= created.length, WAIT);
    expect(this.#events.map(({ item }) => [item.key, item.modRevision])).toEqual(created);
  }
}

/** Of revisions that are longer than what is sent ahead of a client. */
async function expectWholeRevisions(client: CoordinationClient): Promise<void> {
  const keys = Array.from({ length: 300 }, (_, i) => `large/${String(i).padStart(3, '0')}`);
  const success = keys.map((key) => ({ kind: 'put' as const, key, value: 'x'.repeat(3_000) }));
  const seen: string[][] = [];
  const handle = client.watch(
    { ...prefixRange('large/'), fromRevision: 1 },
    { onEvents: (events) => seen.push(events.map(({ item }) => item.key)) },
  );
  for (let i = 0; i < 3; i++) await client.txn({ compare: [], success, failure: [] });
  await until('all events', () => seen.flat().length >= 3 * keys.length, WAIT);
  expect(seen.flat()).toEqual([...keys, ...keys, ...keys]);
  for (const { length } of seen) expect(length % keys.length).toBe(0);
  handle.cancel();
}

describe('a group of three coordinators', () => {
  let group: CoordinatorGroup;

  afterEach(() => group.stop(), TIMEOUT_MS);

  const others = (member: MemberId): MemberId[] => group.members.filter((other) => other !== member);
  const written = (writers: UniqueWriters, count: number): Promise<void> =>
    until(`${count} acknowledged writes`, () => writers.acknowledged.size >= count, WAIT);
  const expectEverywhere = async (writers: UniqueWriters, prefix: string): Promise<void> => {
    const [linearizable, ...local] = await Promise.all([
      listAll(group.client(), prefix, false),
      ...group.members.map((member) => listAll(group.client([member]), prefix, true)),
    ]);
    const keys = new Set(linearizable.map(({ key }) => key));
    expect([...writers.acknowledged].filter((key) => !keys.has(key))).toEqual([]);
    for (const items of local) expect(items).toEqual(linearizable);
  };

  it(
    'loses no acknowledged write when its leader is killed under load, and takes it back',
    async () => {
      group = await CoordinatorGroup.start();
      const writers = new UniqueWriters(group.client(), 'w/');
      const watched = new WatchedKeys(group.client(), 'w/');
      writers.start(8);
      await written(writers, 200);
      for (let round = 1; round <= 2; round++) {
        const leader = await group.leader();
        await group.kill9(leader);
        const successor = await group.leader(others(leader));
        expect(successor).not.toBe(leader);
        await written(writers, writers.acknowledged.size + 200);
        await group.startMember(leader);
        await group.caughtUp(leader);
      }
      await writers.stop();
      await Promise.all(group.members.map((member) => group.caughtUp(member)));
      await expectEverywhere(writers, 'w/');
      await watched.expectAll();
      await expectWholeRevisions(group.client());
      for (const code of writers.failures.keys()) expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN']).toContain(code);
    },
    TIMEOUT_MS,
  );

  it(
    'brings a member up by a snapshot when the log it needs is gone',
    async () => {
      group = await CoordinatorGroup.start({
        RINGLEADER_RAFT_SNAPSHOT_ENTRIES: '50',
        RINGLEADER_RAFT_TRAILING_ENTRIES: '5',
      });
      const [follower] = others(await group.leader()) as [MemberId];
      await group.kill9(follower);
      const writers = new UniqueWriters(group.client(), 'w/');
      writers.start(4);
      await written(writers, 300);
      await writers.stop();
      await group.startMember(follower);
      await group.caughtUp(follower);
      expect(await group.log(follower)).toContain('Installed a snapshot');
      await expectEverywhere(writers, 'w/');
    },
    TIMEOUT_MS,
  );

  it(
    'keeps everything when all members are killed at once',
    async () => {
      group = await CoordinatorGroup.start();
      const writers = new UniqueWriters(group.client(), 'w/');
      writers.start(8);
      await written(writers, 300);
      await Promise.all(group.members.map((member) => group.kill9(member)));
      await Promise.all(group.members.map((member) => group.startMember(member)));
      await group.leader();
      await written(writers, writers.acknowledged.size + 50);
      await writers.stop();
      await Promise.all(group.members.map((member) => group.caughtUp(member)));
      await expectEverywhere(writers, 'w/');
    },
    TIMEOUT_MS,
  );

  it(
    'answers honestly without a majority, and goes on with one',
    async () => {
      group = await CoordinatorGroup.start();
      const leader = await group.leader();
      const [first, second] = others(leader) as [MemberId, MemberId];
      await group.kill9(first);
      await group.kill9(second);
      const client = group.client([leader]);
      await expect(client.range({ key: 'a' }, { timeoutMs: 1_500 })).rejects.toMatchObject({
        code: expect.stringMatching(/^(UNAVAILABLE|DEADLINE_EXCEEDED)$/) as unknown,
      });
      const put = { compare: [], success: [{ kind: 'put' as const, key: 'a', value: '1' }], failure: [] };
      await expect(client.txn(put, { timeoutMs: 3_500 })).rejects.toMatchObject({
        code: expect.stringMatching(/^(UNAVAILABLE|OUTCOME_UNKNOWN)$/) as unknown,
      });
      await group.startMember(first);
      await group.leader([leader, first]);
      await client.txn(put, { timeoutMs: 10_000 });
      expect((await client.range({ key: 'a' })).items).toMatchObject([{ value: '1' }]);
    },
    TIMEOUT_MS,
  );

  it(
    'serves no stale read from a leader that was stopped and goes on, nor keeps its watches',
    async () => {
      group = await CoordinatorGroup.start();
      const leader = await group.leader();
      const put = (members: readonly MemberId[], value: string): Promise<unknown> =>
        group.client(members).txn({ compare: [], success: [{ kind: 'put', key: 'k', value }], failure: [] });
      await put([leader], 'old');
      const watched: string[] = [];
      group.client([leader, ...others(leader)]).watch(
        { key: 'k', fromRevision: 1 },
        {
          onEvents: (events) => watched.push(...events.map(({ item }) => Buffer.from(item.value).toString())),
        },
      );
      await until('the watch at the leader', () => watched.length > 0, WAIT);
      group.signal(leader, 'SIGSTOP');
      await group.leader(others(leader));
      await put(others(leader), 'new');
      await until('the change, told by another member', () => watched.length > 1, WAIT);
      expect(watched).toEqual(['old', 'new']);
      group.signal(leader, 'SIGCONT');
      const { items } = await group.client([leader]).range({ key: 'k' }, { timeoutMs: 10_000 });
      expect(items).toMatchObject([{ value: 'new' }]);
    },
    TIMEOUT_MS,
  );

  it(
    'goes on after nats-server was killed and started again',
    async () => {
      group = await CoordinatorGroup.start();
      const writers = new UniqueWriters(group.client(), 'w/');
      writers.start(2);
      await written(writers, 50);
      await group.nats.kill9();
      await group.nats.restart();
      await written(writers, writers.acknowledged.size + 50);
      await writers.stop();
      await Promise.all(group.members.map((member) => group.caughtUp(member)));
      await expectEverywhere(writers, 'w/');
    },
    TIMEOUT_MS,
  );

  it(
    'hands over within a moment when its leader is asked to stop, which ends with code 0',
    async () => {
      group = await CoordinatorGroup.start();
      const leader = await group.leader();
      const key = memberKey('coordinator', `coordinator-${leader}`);
      const client = group.client(others(leader));
      await until('the registration', async () => (await client.range({ key })).items.length === 1, WAIT);
      const term = (await group.status(leader))?.term ?? 0;
      expect(await group.terminate(leader)).toEqual({ code: 0, signal: null });
      // It had left the registry before it ended: nobody waits for its lease to run out.
      expect((await client.range({ key })).items).toEqual([]);
      expect((await group.status(await group.leader(others(leader))))?.term).toBe(term + 1);
    },
    TIMEOUT_MS,
  );

  it(
    'ends the lease of a process that died, and no other, also across a change of the leader',
    async () => {
      group = await CoordinatorGroup.start();
      const client = group.client(group.members, { service: 'gateway', member: 'gateway-1' });
      const leases: number[] = [];
      const registration = new MemberRegistration({
        client,
        member: {
          service: 'gateway',
          id: 'gateway-1',
          address: '',
          version: '1',
          instance: 'i',
          startedAt: '2026-01-01T00:00:00.000Z',
          ordinal: 0,
          state: 'serving',
        },
        ttlMs: 4_000,
        onRegistered: (lease) => leases.push(lease),
      });
      await registration.start();
      const { leaseId } = await client.leaseGrant({ ttlMs: 1_000 });
      const dead = { kind: 'put' as const, key: '/dead', value: '', lease: leaseId };
      await client.txn({ compare: [], success: [dead], failure: [] });
      await group.kill9(await group.leader());
      const isGone = async (): Promise<boolean> =>
        (await client.range({ key: '/dead' }, { timeoutMs: 10_000 })).items.length === 0;
      await until('the end of the lease', isGone, WAIT);
      const { items } = await client.range({ key: memberKey('gateway', 'gateway-1') });
      expect(items).toHaveLength(1);
      expect(leases).toHaveLength(1);
      await registration.stop();
    },
    TIMEOUT_MS,
  );
});
