/** A custom resource becomes a cluster that says it is available, and everything that it was asked to be. */
import { expect } from '@jest/globals';
import { ClusterUnderTest } from '../harness/cluster-under-test.js';
import { onKubernetes } from '../harness/given.js';
import { scenario } from '../harness/scenario.js';

onKubernetes('install', { isAbsent: true }, (cluster) => {
  scenario('a cluster is asked for, and serves', cluster, async ({ cluster, line }) => {
    await cluster.begin();
    line.mark('settled');
    const { status, metadata } = await cluster.read();
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      coordinators: { replicas: 3, readyReplicas: 3, founded: true },
      shards: { replicas: 3, readyReplicas: 3 },
      gateways: { replicas: 2, readyReplicas: 2 },
    });
    const roles = status?.members?.map(({ role }) => role).toSorted();
    expect(roles?.filter((role) => role === 'leader')).toEqual(['leader']);
    expect(roles?.filter((role) => role === 'shard')).toHaveLength(3);
    expect(ClusterUnderTest.says(await cluster.read(), 'Quorate', 'True')).toBe(true);
    const { health } = await cluster.ask<{ health: unknown }>('/v1/cluster');
    line.mark(`the gateway says ${JSON.stringify(health)}`);
  });
});
