import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OperationalError, coordinatorContracts, subjects } from '@ringleader/contracts';
import type { CoordinatorOperation, ErrorCode, MessageContract } from '@ringleader/contracts';
import { ControlServer, UNLOGGED, connectNats } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { startNatsServer } from '@ringleader/testing-servers';
import type { TestServer } from '@ringleader/testing-servers';
import { CoordinationClient } from './coordination-client.js';

type Answer = () => Promise<unknown>;

const SPEAKER = { service: 'gateway', member: 'gateway-1' } as const;
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const EMPTY_PAGE = { revision: 1, items: [], count: 0, more: false };
const DONE = { revision: 1, succeeded: true, results: [] };
const EMPTY_TXN = { compare: [], success: [], failure: [] };
const answers =
  (response: unknown): Answer =>
  () =>
    Promise.resolve(response);
const refuses =
  (code: ErrorCode, details = {}): Answer =>
  () =>
    Promise.reject(new OperationalError(code, 'as the test wants it', details));
const isSilent: Answer = () => new Promise<never>(() => undefined);

describe('CoordinationClient', () => {
  let directory: string;
  let nats: TestServer;
  let link: NatsLink;
  let client: CoordinationClient;
  let servers: ControlServer[];
  let asked: number[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'coordination-client-'));
    nats = await startNatsServer({ dir: directory });
    link = await connectNats({ servers: [nats.url], name: 'test' }, UNLOGGED);
  });

  afterAll(async () => {
    await link.close();
    await nats.stop();
    await rm(directory, { recursive: true });
  });

  beforeEach(() => {
    asked = [];
    servers = [];
    client = new CoordinationClient({ link, cluster: 'test', speaker: SPEAKER, clock, members: [1, 2, 3] });
  });

  afterEach(async () => {
    await client.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  /** Members that are not named do not exist. */
  const serve = async (
    operation: CoordinatorOperation,
    members: Readonly<Record<number, Answer>>,
  ): Promise<void> => {
    const contract: MessageContract = coordinatorContracts[operation];
    for (const [member, answer] of Object.entries(members)) {
      const server = new ControlServer({ link, cluster: 'test', member, onUnexpectedError: () => undefined });
      server.handle(contract, () => {
        asked.push(Number(member));
        return answer();
      });
      await new Promise<void>((resolve) => void server.listen(() => resolve()));
      servers.push(server);
    }
    await link.connection.flush();
  };

  it('passes over members that do not exist, and stays with the one that answered', async () => {
    await serve('range', { 3: answers(EMPTY_PAGE) });
    await client.range({ key: 'a' });
    await client.range({ key: 'a' });
    expect(asked).toEqual([3, 3]);
  });

  it('says UNAVAILABLE where the deadline passes before a leader is found', async () => {
    await serve('leaseKeepAlive', { 1: refuses('NOT_LEADER', { leader: 2 }), 2: refuses('NOT_LEADER') });
    const call = client.leaseKeepAlive({ leaseId: 5 }, { timeoutMs: 20 });
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('follows NOT_LEADER to the leader', async () => {
    await serve('leaseKeepAlive', {
      1: refuses('NOT_LEADER', { leader: 3 }),
      2: refuses('NOT_LEADER', { leader: 3 }),
      3: answers({ ttlMs: 7 }),
    });
    expect(await client.leaseKeepAlive({ leaseId: 1 })).toEqual({ ttlMs: 7 });
    expect(asked).toEqual([1, 3]);
  });

  it('looks for the leader until there is one', async () => {
    let hasLeader = false;
    const isFollower: Answer = async () => {
      if (asked.length > 7) hasLeader = true;
      return hasLeader ? { ttlMs: 7 } : refuses('NOT_LEADER', { leader: 0 })();
    };
    await serve('leaseKeepAlive', { 1: isFollower, 2: isFollower, 3: isFollower });
    expect(await client.leaseKeepAlive({ leaseId: 1 })).toEqual({ ttlMs: 7 });
  });

  it.each(['UNAVAILABLE', 'OVERLOADED'] as const)(
    'sends a write again after %s: nothing was done',
    async (code) => {
      await serve('txn', { 1: refuses(code), 2: answers(DONE) });
      expect(await client.txn(EMPTY_TXN)).toEqual(DONE);
      expect(asked).toEqual([1, 2]);
    },
  );

  it('asks others while the disk of one is full, and nobody more once the leader says that a majority is', async () => {
    let isRoomElsewhere = true;
    const followers = refuses('DISK_FULL', { isMajorityFull: false });
    const leader: Answer = () =>
      isRoomElsewhere ? answers(DONE)() : refuses('DISK_FULL', { isMajorityFull: true })();
    await serve('txn', { 1: followers, 2: leader, 3: followers });
    expect(await client.txn(EMPTY_TXN)).toEqual(DONE);
    isRoomElsewhere = false;
    await expect(client.txn(EMPTY_TXN)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(asked).toEqual([1, 2, 2]);
  });

  it('passes on at once what only the operator can change: the store is full', async () => {
    await serve('txn', { 1: refuses('STORE_FULL'), 2: answers(DONE) });
    await expect(client.txn(EMPTY_TXN)).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(asked).toEqual([1]);
  });

  it('never sends a write again that may have been done, and asks another member next', async () => {
    await serve('txn', { 1: refuses('OUTCOME_UNKNOWN'), 2: isSilent, 3: answers(DONE) });
    await expect(client.txn(EMPTY_TXN)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await expect(client.txn(EMPTY_TXN, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await client.txn(EMPTY_TXN);
    expect(asked).toEqual([1, 2, 3]);
  });

  it('takes what would be done for a read: it is asked of another member', async () => {
    const recovery = { lost: ['shard-1'], dryRun: true };
    await serve('recoverPartitions', { 1: isSilent, 2: answers({ epoch: 3, partitions: [] }) });
    expect(await client.ask('recoverPartitions', recovery)).toEqual({ epoch: 3, partitions: [] });
    expect(asked).toEqual([1, 2]);
    await servers.pop()!.close();
    await serve('recoverPartitions', { 2: isSilent });
    const done = client.ask('recoverPartitions', { ...recovery, dryRun: false }, { timeoutMs: 100 });
    await expect(done).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect(asked).toEqual([1, 2, 2]);
  });

  it('gives a command to no member that stands still: what it would find when it goes on is not wanted any more', async () => {
    const stopped = link.connection.subscribe(subjects.ask.to('test', 1, 'calls'), {
      callback: () => undefined,
    });
    await serve('changePlacement', { 2: answers({ epoch: 3 }) });
    const pausing = client.ask('changePlacement', { command: { kind: 'pause' } });
    expect(await pausing).toEqual({ epoch: 3 });
    stopped.unsubscribe();
  });

  it('asks another member when a read is not answered', async () => {
    await serve('range', { 1: isSilent, 2: answers(EMPTY_PAGE) });
    await client.range({ key: 'a' });
    expect(asked).toEqual([1, 2]);
  });

  it('comes back to no member that has just been silent, however many calls it kept waiting', async () => {
    await serve('range', { 1: isSilent, 2: answers(EMPTY_PAGE), 3: answers(EMPTY_PAGE) });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => client.range({ key })));
    expect(asked).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  });

  it('follows to the leader with all calls that a follower has refused', async () => {
    const isFollower = refuses('NOT_LEADER', { leader: 2 });
    await serve('leaseKeepAlive', { 1: isFollower, 2: answers({ ttlMs: 7 }), 3: isFollower });
    await Promise.all([1, 2, 3, 4].map((leaseId) => client.leaseKeepAlive({ leaseId })));
    expect(asked).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
  });

  it('does not wait for a member that has ended: its reads are asked of another, its writes are unknown', async () => {
    const doing = Promise.withResolvers<void>();
    const isEnding: Answer = () => {
      doing.resolve();
      return isSilent();
    };
    await serve('txn', { 1: isEnding });
    const write = expect(client.txn(EMPTY_TXN)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      cause: { message: expect.stringMatching('has ended') as unknown },
    });
    await doing.promise;
    await servers[0]!.close();
    await write;
    const asking = Promise.withResolvers<void>();
    await serve('range', { 2: () => (asking.resolve(), isSilent()), 3: answers(EMPTY_PAGE) });
    const startedAt = performance.now();
    const read = client.range({ key: 'a' });
    await asking.promise;
    await servers[1]!.close();
    expect(await read).toEqual(EMPTY_PAGE);
    expect(performance.now() - startedAt).toBeLessThan(900);
  });

  it('says so when a read came to nothing within its deadline', async () => {
    await serve('range', { 1: isSilent, 2: isSilent, 3: isSilent });
    await expect(client.range({ key: 'a' }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    // Its last fraction of a millisecond may still go to another member, on a machine that is slow to wake up.
    expect(asked[0]).toBe(1);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('passes on what the service refuses', async () => {
    await serve('range', { 1: refuses('COMPACTED', { compactedRevision: 5 }) });
    await expect(client.range({ key: 'a', revision: 1 })).rejects.toMatchObject({
      code: 'COMPACTED',
      details: { compactedRevision: 5 },
    });
  });

  it('gives up at its deadline when nobody serves', async () => {
    await serve('range', {});
    // On a machine that is busy the deadline may pass before NATS has said that nobody serves.
    await expect(client.range({ key: 'a' }, { timeoutMs: 100 })).rejects.toMatchObject({
      code: expect.stringMatching(/^(UNAVAILABLE|DEADLINE_EXCEEDED)$/),
    });
  });

  it('ends the calls under way when it is closed', async () => {
    await serve('range', { 1: isSilent });
    const call = client.range({ key: 'a' });
    await client.close();
    await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('knows nothing of a member that does not answer', async () => {
    await serve('status', {});
    expect(await client.status(1)).toBeNull();
  });
});
