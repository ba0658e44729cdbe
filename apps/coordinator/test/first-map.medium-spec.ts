import { afterEach, describe, expect, it } from '@jest/globals';
import { CLUSTER_KEY, clusterSchema } from '@ringleader/contracts';
import type { Cluster, PartitionEntry } from '@ringleader/contracts';
import { PartitionMapMirror, parseMetadata, registerShard } from '@ringleader/coordination';
import type { CoordinationClient, ShardRegistrationOutcome } from '@ringleader/coordination';
import { systemClock } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';

const TIMEOUT_MS = 90_000;

function register(group: CoordinatorGroup, shardId: string): Promise<ShardRegistrationOutcome> {
  const client = group.client(group.members, { service: 'shard', member: shardId });
  return registerShard(client, {
    shardId,
    zone: '',
    weight: 1,
    databaseIncarnation: 0,
    databaseOrdinal: null,
    setAside: [],
    systemIdentifier: shardId,
    timeline: 1,
    walPosition: '0/1',
    raiseDatabaseIncarnation: () => Promise.resolve(),
  });
}

describe('the first partition map', () => {
  let group: CoordinatorGroup;
  let mirror: PartitionMapMirror;

  afterEach(async () => {
    mirror.stop();
    await group.stop();
  }, TIMEOUT_MS);

  const readCluster = async (client: CoordinationClient): Promise<Cluster | null> => {
    const { items } = await client.range({ key: CLUSTER_KEY });
    return items[0] === undefined ? null : parseMetadata(clusterSchema, items[0]);
  };

  it.each([256, 16_384])(
    'of %i partitions appears whole, once enough shards have registered',
    async (count) => {
      group = await CoordinatorGroup.start({ RINGLEADER_PARTITION_COUNT: String(count) });
      const client = group.client();
      const seen: number[] = [];
      mirror = new PartitionMapMirror({
        client,
        clock: systemClock,
        onChange: (changed: readonly PartitionEntry[]) => seen.push(changed.length),
      });
      await mirror.start();
      await register(group, 'shard-1');
      await register(group, 'shard-2');
      expect(await readCluster(client)).toMatchObject({ partitionCount: count, initialShards: 0 });
      await register(group, 'shard-3');
      await until('the map', () => mirror.partitionCount > 0, WAIT);
      expect(seen).toEqual([count]);
      expect(mirror.entries.every(({ replicas }) => replicas.toSorted().join() === '1,2,3')).toBe(true);
      expect(await readCluster(client)).toMatchObject({ initialShards: 3 });
    },
    TIMEOUT_MS,
  );

  it(
    'stays as it is when a shard comes, when the leader changes and when all start again',
    async () => {
      group = await CoordinatorGroup.start();
      const client = group.client();
      for (const shard of ['shard-1', 'shard-2', 'shard-3']) await register(group, shard);
      mirror = new PartitionMapMirror({ client, clock: systemClock });
      await mirror.start();
      await until('the map', () => mirror.partitionCount > 0, WAIT);
      const before = JSON.stringify(mirror.entries);
      const { clusterId } = (await readCluster(client)) as Cluster;

      expect(await register(group, 'shard-4')).toEqual({ kind: 'registered', ordinal: 4, incarnation: 1 });
      const leader = await group.leader();
      await group.kill9(leader);
      await group.leader(group.members.filter((member) => member !== leader));
      await Promise.all(group.members.map((member) => group.kill9(member)));
      await Promise.all(group.members.map((member) => group.startMember(member)));
      await group.leader();

      expect((await readCluster(client))?.clusterId).toBe(clusterId);
      const again = new PartitionMapMirror({ client, clock: systemClock });
      await again.start();
      again.stop();
      expect(JSON.stringify(again.entries)).toBe(before);
    },
    TIMEOUT_MS,
  );
});
