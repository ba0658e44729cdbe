/** The store on real coordinators: what etcd's has, its limit of size, and who may write what of the cluster's own metadata. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLUSTER_KEY, METADATA_PREFIX, memberKey, prefixRange, shardKey } from '@ringleader/contracts';
import type { CoordinationClient, CoordinatorRequest } from '@ringleader/coordination';
import { until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';

type Operation = CoordinatorRequest<'txn'>['success'][number];

const TIMEOUT_MS = 60_000;
const STORE_BYTES_MAX = 1_048_576;
const OWN = memberKey('shard', 'shard-1');

describe('the store', () => {
  let group: CoordinatorGroup;
  let shard: CoordinationClient;
  let gateway: CoordinationClient;

  beforeAll(async () => {
    group = await CoordinatorGroup.start({ RINGLEADER_STORE_BYTES_MAX: String(STORE_BYTES_MAX) });
    shard = group.client(group.members, { service: 'shard', member: 'shard-1' });
    gateway = group.client(group.members, { service: 'gateway', member: 'gateway-1' });
  }, TIMEOUT_MS);
  afterAll(() => group.stop(), TIMEOUT_MS);

  const put = (key: string, lease = 0): Operation => ({ kind: 'put', key, value: 'x', lease });
  const write = (client: CoordinationClient, operation: Operation): Promise<unknown> =>
    client.txn({ compare: [], success: [operation], failure: [] });
  const forbidden = expect.objectContaining({ code: 'FORBIDDEN' }) as unknown;

  describe('as etcd’s', () => {
    const bytes = Buffer.from([0xff, 0, 0x80]).toString('base64');

    it('keeps bytes, gives previous values, nests transactions, and reads the past in any order', async () => {
      const first = await gateway.txn({
        ...{ compare: [], failure: [] },
        success: [
          { kind: 'put', key: 'etcd/a', valueBase64: bytes },
          { kind: 'put', key: 'etcd/b', value: 'é' },
        ],
      });
      const nested: Operation = {
        ...{ kind: 'txn', failure: [] },
        compare: [{ ...prefixRange('etcd/'), target: 'version', result: 'equal', operand: 1 }],
        success: [{ kind: 'delete', ...prefixRange('etcd/'), wantsPrevious: true }],
      };
      expect(await gateway.txn({ compare: [], success: [nested], failure: [] })).toMatchObject({
        results: [{ succeeded: true, results: [{ previous: [{ valueBase64: bytes }, { value: 'é' }] }] }],
      });
      const past = { revision: first.revision, sortBy: 'key', order: 'descending', limit: 1 } as const;
      expect(await gateway.range({ ...prefixRange('etcd/'), ...past })).toMatchObject({
        ...{ items: [{ key: 'etcd/b' }], count: 2, more: true },
      });
      await expect(gateway.range({ key: 'etcd/a', revision: 1_000_000 })).rejects.toMatchObject({
        code: 'FUTURE_REVISION',
      });
    });

    it('reads a transaction, and its revision, as of one moment, also while others write', async () => {
      for (let version = 0; version < 10; version++) {
        const read = gateway.txn({
          compare: [{ key: 'etcd/k', target: 'version', result: 'equal', operand: version }],
          success: [{ kind: 'range', key: 'etcd/k' }],
          failure: [],
        });
        const written = await shard.txn({ compare: [], success: [put('etcd/k')], failure: [] });
        const { succeeded, revision } = await read;
        expect(succeeded).toBe(revision < written.revision);
      }
    });

    it('gives a lease all of its time again under the next leader', async () => {
      const ttlMs = 5_000;
      await gateway.leaseGrant({ leaseId: 77, ttlMs });
      await expect(gateway.leaseGrant({ leaseId: 77, ttlMs })).rejects.toMatchObject({
        code: 'LEASE_EXISTS',
      });
      await write(gateway, put('leased', 77));
      const left = (): ReturnType<CoordinationClient['leaseTimeToLive']> =>
        gateway.leaseTimeToLive({ leaseId: 77, wantsKeys: true });
      await until('some time has passed', async () => (await left()).remainingMs < ttlMs - 1_000, WAIT);
      const { leader } = await gateway.transferLeader({});
      expect((await group.status(leader))?.role).toBe('leader');
      expect(await left()).toMatchObject({ ttlMs, keys: ['leased'], more: false });
      expect((await left()).remainingMs).toBeGreaterThan(ttlMs - 1_000);
      expect((await gateway.leases({})).leases).toContainEqual({ leaseId: 77, ttlMs });
      await gateway.leaseRevoke({ leaseId: 77 });
      await expect(left()).rejects.toMatchObject({ code: 'LEASE_NOT_FOUND' });
    });

    it('is full at its limit, lives on, and takes writes again when deletions have made room', async () => {
      const large = (i: number): Operation => ({
        kind: 'put',
        key: `large/${i}`,
        value: 'x'.repeat(100_000),
      });
      const fill = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) await write(gateway, large(i));
      };
      await expect(fill()).rejects.toMatchObject({
        ...{ code: 'STORE_FULL', details: { sizeBytesMax: STORE_BYTES_MAX } },
      });
      expect((await group.status(await group.leader()))?.storeBytesMax).toBe(STORE_BYTES_MAX);
      const { leaseId } = await shard.leaseGrant({ ttlMs: 60_000 });
      await write(shard, put(OWN, leaseId));
      await shard.leaseKeepAlive({ leaseId });
      await shard.leaseRevoke({ leaseId });
      await write(gateway, { kind: 'delete', ...prefixRange('large/') });
      const fits = (): Promise<boolean> =>
        write(gateway, large(0)).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'STORE_FULL' });
            return false;
          },
        );
      await until('room', fits, WAIT);
    });
  });

  it('is written by whose it is', async () => {
    for (const key of [OWN, shardKey('shard-1')]) await write(shard, put(key));
    await write(gateway, put('anything/else'));
    expect((await gateway.range(prefixRange(`${METADATA_PREFIX}shards/`))).items).toHaveLength(1);
  });

  const refused: [string, Operation][] = [
    ['another member’s registration', put(OWN)],
    ['a shard’s place', put(shardKey('shard-1'))],
    ['the cluster', put(CLUSTER_KEY)],
    ['a deletion of another’s', { kind: 'delete', key: OWN }],
    ['a deletion of all', { kind: 'delete', key: '', rangeEnd: '' }],
  ];
  it.each(refused)('refuses %s', async (_, operation) => {
    await expect(write(gateway, operation)).rejects.toEqual(forbidden);
    const inFailure = { compare: [], success: [], failure: [operation] };
    await expect(gateway.txn(inFailure)).rejects.toEqual(forbidden);
  });

  it('refuses to end another’s lease, which would delete what hangs on it', async () => {
    const { leaseId } = await shard.leaseGrant({ ttlMs: 60_000 });
    await write(shard, put(OWN, leaseId));
    await expect(gateway.leaseRevoke({ leaseId })).rejects.toEqual(forbidden);
    expect((await gateway.range({ key: OWN })).items).toHaveLength(1);
    await shard.leaseRevoke({ leaseId });
    expect((await gateway.range({ key: OWN })).items).toEqual([]);
  });
});
