/** `kill -9` of the first process of each kind of container, from the node; of PostgreSQL and of a shard twice. */
import { until } from '@ringleader/testing-servers';
import type { ClusterUnderTest, Component } from '../harness/cluster-under-test.js';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { isLocal, killContainer } from '../harness/nodes.js';
import { lastingContainers } from '../harness/pods.js';
import { scenario } from '../harness/scenario.js';

const RECOVERY_MS = 300_000;
const COMPONENTS: readonly Component[] = ['nats', 'coordinator', 'shard', 'failure-detector', 'gateway'];

/** Resolves when the kubelet has started it again. */
async function kill(cluster: ClusterUnderTest, podName: string, container: string): Promise<void> {
  const find = async () =>
    lastingContainers(await cluster.pod(podName)).find(({ name }) => name === container);
  const { spec } = await cluster.pod(podName);
  const before = await find();
  if (before?.containerID === undefined) throw new Error(`${container} of ${podName} does not run`);
  await killContainer(spec.nodeName ?? '', before.containerID);
  const hasRestarted = async (): Promise<boolean> => (await find())?.restartCount === before.restartCount + 1;
  await until(`${container} of ${podName} runs again`, hasRestarted, { timeoutMs: 120_000, everyMs: 200 });
}

onKubernetes('kill -9', {}, (of) => {
  for (const component of COMPONENTS) {
    scenario(`kill -9 in a pod of ${component}`, of, async ({ cluster, line }) => {
      const [pod] = await cluster.pods(component);
      if (pod === undefined) throw new Error(`there is no ${component}`);
      if (!(await isLocal(pod.spec.nodeName ?? ''))) {
        line.mark('not tried: the nodes are no containers of this machine');
        return;
      }
      for (const { name } of lastingContainers(pod)) {
        await survive(cluster, line, {
          name: `kill-${component}-${name}`,
          fault: async () => {
            await kill(cluster, pod.metadata.name, name);
            line.mark(`${name} of ${pod.metadata.name} runs again`);
            await cluster.untilSettled(RECOVERY_MS);
          },
        });
      }
    });
  }
});
