/** A node is drained, and another stops for a minute, both under load. */
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@ringleader/testing-servers';
import type { ClusterUnderTest } from '../harness/cluster-under-test.js';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { isLocal, pauseNode, resumeNode } from '../harness/nodes.js';
import { isReady, NODE, type Node, type Pod } from '../harness/pods.js';
import { scenario } from '../harness/scenario.js';

const DRAIN_MS = 420_000;
const RECOVERY_MS = 420_000;
const PAUSE_MS = 60_000;

/** One that has a shard, so that something is at stake. */
async function nodeOfAShard(cluster: ClusterUnderTest): Promise<string> {
  const [pod] = await cluster.pods('shard');
  return pod?.spec.nodeName ?? '';
}

const setUnschedulable = (cluster: ClusterUnderTest, name: string, unschedulable: boolean) =>
  cluster.api.patch({ ...NODE, metadata: { name } }, { spec: { unschedulable } });

/** As `kubectl drain` does: by evictions, each tried again while a budget refuses it. */
async function drain(cluster: ClusterUnderTest, node: string): Promise<void> {
  await setUnschedulable(cluster, node, true);
  const there = async (): Promise<readonly Pod[]> =>
    (await cluster.pods()).filter(({ spec }) => spec.nodeName === node);
  const isEmpty = async (): Promise<boolean> => {
    const pods = (await there()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    for (const { metadata } of pods) await cluster.api.evict(cluster.namespace, metadata.name);
    return (await there()).length === 0;
  };
  await until(`${node} is drained`, isEmpty, { timeoutMs: DRAIN_MS, everyMs: 2_000 });
}

onKubernetes('nodes', {}, (of) => {
  scenario('a node is drained under load', of, async ({ cluster, line }) => {
    const node = await nodeOfAShard(cluster);
    try {
      await survive(cluster, line, {
        name: 'drain',
        fault: async () => {
          await drain(cluster, node);
          line.mark(`${node} is empty`);
          await setUnschedulable(cluster, node, false);
          await cluster.untilSettled(RECOVERY_MS);
        },
      });
    } finally {
      await setUnschedulable(cluster, node, false);
    }
  });

  scenario('a node stops for a minute', of, async ({ cluster, line }) => {
    const node = await nodeOfAShard(cluster);
    if (!(await isLocal(node))) {
      line.mark('not tried: the nodes are no containers of this machine');
      return;
    }
    await survive(cluster, line, {
      name: 'pause',
      isPatient: false,
      fault: async () => {
        await pauseNode(node);
        line.mark(`${node} stands`);
        await delay(PAUSE_MS).finally(() => resumeNode(node));
        line.mark(`${node} goes on`);
        const isBack = async (): Promise<boolean> => {
          const found = await cluster.api.get<Node>({ ...NODE, metadata: { name: node } });
          return found !== null && isReady(found);
        };
        await until(`${node} is ready`, isBack, { timeoutMs: RECOVERY_MS, everyMs: 500 });
        await cluster.untilSettled(RECOVERY_MS);
      },
    });
  });
});
