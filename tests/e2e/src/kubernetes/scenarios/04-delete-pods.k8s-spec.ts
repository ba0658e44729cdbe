/** Pods of each service are deleted under load, at last all at once. */
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { scenario } from '../harness/scenario.js';
import type { ClusterUnderTest } from '../harness/cluster-under-test.js';
import type { Pod } from '../harness/pods.js';

const RECOVERY_MS = 420_000;

const VICTIMS: readonly (readonly [string, (cluster: ClusterUnderTest) => Promise<readonly Pod[]>])[] = [
  ['a shard pod', async (cluster) => (await cluster.pods('shard')).slice(0, 1)],
  ["the coordinators' leader", async (cluster) => [await cluster.leader()]],
  ['a gateway', async (cluster) => (await cluster.pods('gateway')).slice(0, 1)],
  ['a NATS pod', async (cluster) => (await cluster.pods('nats')).slice(0, 1)],
  ['every pod at once', (cluster) => cluster.pods()],
];

onKubernetes('delete pods', {}, (of) => {
  for (const [name, choose] of VICTIMS) {
    scenario(`delete ${name}`, of, async ({ cluster, line }) => {
      await survive(cluster, line, {
        name: name.replaceAll(/\W+/g, '-'),
        isPatient: name !== 'every pod at once',
        fault: async () => {
          const pods = await choose(cluster);
          await Promise.all(pods.map((pod) => cluster.deletePod(pod)));
          line.mark(`${pods.length} gone`);
          await cluster.untilSettled(RECOVERY_MS);
        },
      });
    });
  }
});
