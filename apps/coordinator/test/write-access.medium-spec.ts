/** The cluster's own metadata on real coordinators: each member writes what is its own, and nobody anything else. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLUSTER_KEY, METADATA_PREFIX, memberKey, prefixRange, shardKey } from '@ringleader/contracts';
import type { CoordinationClient, CoordinatorRequest } from '@ringleader/coordination';
import { CoordinatorGroup } from './coordinator-group.js';

type Operation = CoordinatorRequest<'txn'>['success'][number];

const TIMEOUT_MS = 60_000;
const OWN = memberKey('shard', 'shard-1');

describe('the metadata of the cluster', () => {
  let group: CoordinatorGroup;
  let shard: CoordinationClient;
  let gateway: CoordinationClient;

  beforeAll(async () => {
    group = await CoordinatorGroup.start();
    shard = group.client(group.members, { service: 'shard', member: 'shard-1' });
    gateway = group.client(group.members, { service: 'gateway', member: 'gateway-1' });
  }, TIMEOUT_MS);
  afterAll(() => group.stop(), TIMEOUT_MS);

  const put = (key: string, lease = 0): Operation => ({ kind: 'put', key, value: 'x', lease });
  const write = (client: CoordinationClient, operation: Operation): Promise<unknown> =>
    client.txn({ compare: [], success: [operation], failure: [] });
  const forbidden = expect.objectContaining({ code: 'FORBIDDEN' }) as unknown;

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
