/** Shards come and go under load by `kubectl scale`; nothing is lost, and drained volumes are gone. */
import { expect } from '@jest/globals';
import { ClusterUnderTest } from '../harness/cluster-under-test.js';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { scenario } from '../harness/scenario.js';
import { placementOf } from '../harness/placement.js';
import { until } from '@ringleader/testing-servers';

const MOVES_MS = 600_000;

onKubernetes('scale', {}, (of) => {
  scenario('from 3 to 5 and back under load', of, async ({ cluster, line }) => {
    await survive(cluster, line, {
      name: 'scale',
      fault: async () => {
        await cluster.scale(5);
        await cluster.untilSettled(MOVES_MS);
        line.mark('five shards');
        const { shards } = await placementOf(cluster);
        expect(shards.filter(({ replicas }) => replicas > 0)).toHaveLength(5);
        await cluster.scale(3);
        await cluster.untilSettled(MOVES_MS);
      },
    });
    const { owners } = await placementOf(cluster);
    expect(owners).toEqual(['shard-1', 'shard-2', 'shard-3']);
    expect(await cluster.claims('shard')).toEqual([1, 2, 3].map((n) => `data-demo-shard-${n}`));
  });

  scenario('a second time: new shards, no old data', of, async ({ cluster, line }) => {
    await survive(cluster, line, {
      name: 'again',
      fault: async () => {
        await cluster.scale(5);
        await cluster.untilSettled(MOVES_MS);
      },
    });
    const { owners } = await placementOf(cluster);
    expect(owners).toHaveLength(5);
  });

  scenario('a change of mind half-way', of, async ({ cluster, line }) => {
    await survive(cluster, line, {
      name: 'half-way',
      fault: async () => {
        await cluster.scale(3);
        const isDraining = async (): Promise<boolean> =>
          (await placementOf(cluster)).shards.some(({ state }) => state === 'draining');
        await until('a shard is drained', isDraining, { timeoutMs: 120_000, everyMs: 200 });
        line.mark('draining, and back to five');
        await cluster.scale(5);
        await cluster.untilSettled(MOVES_MS);
      },
    });
    const { status } = await cluster.read();
    expect(status?.shards).toMatchObject({ replicas: 5, readyReplicas: 5 });
    await cluster.scale(3);
    await cluster.untilSettled(MOVES_MS);
    line.mark('three again');
  });

  scenario('below the replication factor: refused, and nothing changes', of, async ({ cluster }) => {
    await expect(cluster.scale(2)).rejects.toThrow(/must not be below replicationFactor/);
    expect(ClusterUnderTest.says(await cluster.read(), 'Available', 'True')).toBe(true);
  });
});
