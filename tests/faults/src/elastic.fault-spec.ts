/**
 * Two shards join and leave again under load, while one that is joining and the coordinators' leader are killed: what clients
 * saw is linearizable, nothing acknowledged is lost, and every partition ends on three of the shards that stay.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Incident, PlacedShard, RecoveryView } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { RestClient } from '@ringleader/testing-workload';
import { readCluster } from './cluster-facts.js';
import { LoadedCluster } from './loaded-cluster.js';

const START_MS = 240_000;
const SCENARIO_MS = 240_000;
const PARTITIONS = 64;
const WAIT = { timeoutMs: 120_000, everyMs: 100 };

type Recovery = RecoveryView & { readonly code?: string };

interface Entry {
  readonly replicas: readonly string[];
  readonly nextReplicas: readonly string[] | null;
  readonly learners: readonly string[];
}

describe('shards that come and go under load', () => {
  let loaded: LoadedCluster;
  let client: RestClient;

  beforeAll(async () => {
    loaded = await LoadedCluster.start({
      env: { RINGLEADER_PARTITION_COUNT: String(PARTITIONS), RINGLEADER_POSTGRES_AWAY_MS: '3000' },
    });
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

  it(
    'gives up a shard whose database stays away while its process lives; with its database it comes back as a new one',
    async () => {
      const limit = async (replaceAfterMs: number): Promise<void> => {
        const limits = JSON.stringify({ limits: { replaceAfterMs } });
        const headers = { 'Content-Type': 'application/json' };
        const { status } = await fetch(`${loaded.url}/v1/cluster/plan`, {
          method: 'PATCH',
          body: limits,
          headers,
        });
        expect(status).toBe(200);
      };
      await loaded.survive('database-gone', async (cluster) => {
        const name = await cluster.addShard();
        const [ordinal] = name.match(/\d+$/) ?? [];
        const process = await cluster.process(name);
        const holds = async (isIt: boolean): Promise<boolean> => {
          const { items } = await read<{ items: Entry[] }>('/v1/cluster/partitions');
          const isWhole = items.every(
            ({ replicas, nextReplicas }) => replicas.length === 3 && nextReplicas === null,
          );
          return isWhole && items.some(({ replicas }) => replicas.includes(name)) === isIt;
        };
        await until('it to hold something', () => holds(true), WAIT);
        await cluster.untilNothingMoves();
        await limit(10_000);
        await cluster.act(`postgres-${ordinal}`, 'kill');
        await until('its partitions to have replicas elsewhere', () => holds(false), WAIT);
        expect(await cluster.process(name)).toMatchObject({ pid: process.pid, restarts: process.restarts });
        await limit(600_000);
        await cluster.act(`postgres-${ordinal}`, 'restart');
        await until('it to hold its share again', () => holds(true), WAIT);
        await cluster.removeShard(name);
      });
    },
    SCENARIO_MS,
  );

  it(
    'goes on with what one shard has where the two others are lost for good, because a person says so',
    async () => {
      const { cluster } = loaded;
      const lost = ['shard-2', 'shard-3'];
      const put = async (key: string, value: string): Promise<number> => {
        const { status, headers } = await client.put(key, value, { timeoutMs: 10_000 });
        expect([200, 201]).toContain(status);
        return Number(JSON.parse(String(headers['etag'])));
      };
      const recover = async (body: object): Promise<{ status: number; body: Recovery }> => {
        const response = await fetch(`${loaded.url}/v1/cluster/partitions:recover`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        });
        return { status: response.status, body: (await response.json()) as Recovery };
      };
      await put('recover/kept', 'kept');
      await cluster.act('shard-3', 'stop');
      const before = await put('recover/lost', 'lost');
      expect(await recover({ lost, acceptDataLoss: true })).toMatchObject({
        ...{ status: 409, body: { code: 'SHARD_NOT_DOWN', shard: 'shard-2' } },
      });
      await cluster.act('shard-2', 'kill');
      let planned = await recover({ lost, dryRun: true });
      const areDown = async (): Promise<boolean> => {
        planned = await recover({ lost, dryRun: true });
        return planned.status === 200;
      };
      await until('both of them to be down, and without their leases', areDown, WAIT);
      expect(planned.body.partitions).toHaveLength(PARTITIONS);
      for (const one of planned.body.partitions)
        expect([one.kept, [...one.lost].sort()]).toEqual([['shard-1'], lost]);
      expect(await recover({ lost, acceptDataLoss: true })).toMatchObject({ status: 200 });
      expect(await put('recover/lost', 'new')).toBeGreaterThan(Math.max(before, 2 ** 40));
      expect((await client.get('recover/kept')).body.toString()).toBe('kept');
      // What they have is set aside, and they are filled as new ones.
      for (const shard of lost) await cluster.act(shard, 'restart');
      const { items } = await read<{ items: Incident[] }>('/v1/cluster/incidents');
      expect(items).toContainEqual(expect.objectContaining({ kind: 'MAJORITY_LOST', mended: true }));
      const areWhole = async (): Promise<boolean> =>
        (await read<{ items: Entry[] }>('/v1/cluster/partitions')).items.every(
          ({ replicas, nextReplicas }) => replicas.length === 3 && nextReplicas === null,
        );
      await until('three replicas of each partition', areWhole, WAIT);
      await cluster.untilNothingMoves();
      expect((await client.get('recover/lost')).body.toString()).toBe('new');
      expect(await recover({ dryRun: true })).toMatchObject({
        status: 409,
        body: { code: 'NOTHING_TO_RECOVER' },
      });
    },
    SCENARIO_MS,
  );
});
