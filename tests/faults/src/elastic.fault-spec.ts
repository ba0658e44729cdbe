/**
 * Two shards join and leave again under load, while one that is joining and the coordinators' leader are killed: what clients
 * saw is linearizable, nothing acknowledged is lost, and every partition ends on three of the shards that stay.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PlacedShard } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { RestClient } from '@ringleader/testing-workload';
import { readCluster } from './cluster-facts.js';
import { LoadedCluster } from './loaded-cluster.js';

const START_MS = 240_000;
const SCENARIO_MS = 240_000;
const PARTITIONS = 64;
const WAIT = { timeoutMs: 120_000, everyMs: 100 };

interface Entry {
  readonly replicas: readonly string[];
  readonly nextReplicas: readonly string[] | null;
  readonly learners: readonly string[];
}

describe('shards that come and go under load', () => {
  let loaded: LoadedCluster;
  let client: RestClient;

  beforeAll(async () => {
    loaded = await LoadedCluster.start({ env: { RINGLEADER_PARTITION_COUNT: String(PARTITIONS) } });
    client = new RestClient(loaded.url, 2);
  }, START_MS);
  afterAll(async () => {
    await client.close();
    await loaded.dispose();
  }, START_MS);

  const read = async <T>(path: string): Promise<T> => {
    const { status, body } = await client.request('GET', path);
    if (status !== 200) throw new Error(`${path}: ${body.toString()}`);
    return JSON.parse(body.toString()) as T;
  };
  const shards = async (): Promise<PlacedShard[]> =>
    (await read<{ items: PlacedShard[] }>('/v1/cluster/shards')).items;
  it(
    'from three to five and back, with a joining shard and the leader of the coordinators killed',
    async () => {
      await loaded.survive(
        'elastic',
        async (cluster) => {
          const added = [await cluster.addShard(), await cluster.addShard()];
          const theirs = async (): Promise<PlacedShard[]> =>
            (await shards()).filter(({ shard }) => added.includes(shard));
          const haveBegun = async (): Promise<boolean> =>
            (await theirs()).filter(({ replicas }) => replicas > 0).length === added.length;
          await until('both of the new shards hold something', haveBegun, WAIT);
          await loaded.killAndWait(added[0] ?? '');
          await loaded.killAndWait((await readCluster(loaded.url)).coordinator.leader);
          await cluster.untilNothingMoves();
          for (const shard of await shards()) expect(shard).toMatchObject({ state: 'active', arriving: 0 });
          await Promise.all(added.map((name) => cluster.removeShard(name)));
        },
        { keys: 60 },
      );
      const { items } = await read<{ items: Entry[] }>('/v1/cluster/partitions');
      expect(items).toHaveLength(PARTITIONS);
      for (const { replicas, nextReplicas, learners } of items) {
        expect([...replicas].sort()).toEqual(['shard-1', 'shard-2', 'shard-3']);
        expect([nextReplicas ?? [], learners]).toEqual([[], []]);
      }
    },
    SCENARIO_MS,
  );
});
