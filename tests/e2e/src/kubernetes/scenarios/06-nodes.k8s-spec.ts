/** A node is drained, and another stops for a minute, both under load. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import type { ClusterUnderTest } from '../harness/cluster-under-test.js';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { isLocal, pauseNode, resumeNode } from '../harness/nodes.js';
import { ledBy, verdictOf } from '../harness/placement.js';
import { isReady, NODE, type Node, type Pod } from '../harness/pods.js';
import { scenario } from '../harness/scenario.js';
import type { TimeLine } from '../harness/time-line.js';

const DRAIN_MS = 420_000;
const RECOVERY_MS = 420_000;
const PAUSE_MS = 60_000;
/** Half of a leader's lease: longer than anything takes while all are there. */
const FELT_MS_MIN = 300;
/** Of 64, where each of three shards is to lead 21. */
const LED_MIN = 15;

/** One that has a shard, so that something is at stake. */
async function nodeOfAShard(cluster: ClusterUnderTest): Promise<string> {
  const [pod] = await cluster.pods('shard');
  return pod?.spec.nodeName ?? '';
}

/**
 * One whose shard is to be missed. Best without a gateway, whose clients would lose their connections: that is another thing,
 * and hides what becomes of the partitions.
 */
async function nodeToStop(cluster: ClusterUnderTest): Promise<{ node: string; shard: string }> {
  const taken = (await cluster.pods('gateway')).map(({ spec }) => spec.nodeName);
  const shards = await cluster.pods('shard');
  const pod = shards.find(({ spec }) => !taken.includes(spec.nodeName)) ?? shards[0];
  if (pod === undefined) throw new Error('there is no shard');
  return { node: pod.spec.nodeName ?? '', shard: pod.metadata.name.replace(`${cluster.name}-`, '') };
}

/** Else nothing was tried: it went on, or nobody missed it. */
async function untilDown(cluster: ClusterUnderTest, line: TimeLine, shard: string): Promise<void> {
  for (const verdict of ['suspect', 'down']) {
    const isSo = async (): Promise<boolean> => [verdict, 'down'].includes(await verdictOf(cluster, shard));
    await until(`${shard} is ${verdict}`, isSo, { timeoutMs: PAUSE_MS, everyMs: 100 });
    line.mark(`${shard} is ${verdict}`);
  }
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
    const { node, shard } = await nodeToStop(cluster);
    if (!(await isLocal(node))) {
      line.mark('not tried: the nodes are no containers of this machine');
      return;
    }
    cluster.avoid(node);
    const leads = async (): Promise<boolean> => (await ledBy(cluster, shard)) >= LED_MIN;
    await until(`${shard} leads partitions`, leads, { timeoutMs: RECOVERY_MS, everyMs: 500 });
    line.mark(`${shard} leads ${await ledBy(cluster, shard)} partitions`);
    const { slowestMs } = await survive(cluster, line, {
      name: 'pause',
      isPatient: false,
      fault: async () => {
        await pauseNode(node);
        line.mark(`${node} stands`);
        await Promise.all([untilDown(cluster, line, shard), delay(PAUSE_MS)]).finally(() => resumeNode(node));
        line.mark(`${node} goes on`);
        const isBack = async (): Promise<boolean> => {
          const found = await cluster.api.get<Node>({ ...NODE, metadata: { name: node } });
          return found !== null && isReady(found);
        };
        await until(`${node} is ready`, isBack, { timeoutMs: RECOVERY_MS, everyMs: 500 });
        await cluster.untilSettled(RECOVERY_MS);
      },
    });
    // What it led was led by nobody until its leases had run out.
    expect(Math.max(...Object.values(slowestMs))).toBeGreaterThan(FELT_MS_MIN);
  });
});
