/** The operator dies, the API server restarts, and somebody scales a StatefulSet by hand. */
import { expect } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { isLocal, killContainer } from '../harness/nodes.js';
import { placementOf } from '../harness/placement.js';
import { POD, type Pod } from '../harness/pods.js';
import { scenario } from '../harness/scenario.js';

const MOVES_MS = 600_000;
const SYSTEM = 'ringleader-system';

onKubernetes('the operator', {}, (of) => {
  scenario('is killed in the middle of a scale-in', of, async ({ cluster, line }) => {
    await cluster.scale(4);
    await cluster.untilSettled(MOVES_MS);
    line.mark('four shards');
    await survive(cluster, line, {
      name: 'operator-killed',
      fault: async () => {
        await cluster.scale(3);
        const isDraining = async (): Promise<boolean> =>
          (await placementOf(cluster)).shards.some(({ state }) => state === 'draining');
        await until('a shard is drained', isDraining, { timeoutMs: 120_000, everyMs: 200 });
        const operators = await cluster.api.list<Pod>(POD, SYSTEM);
        for (const { metadata } of operators) {
          const ref = { ...POD, metadata: { name: metadata.name, namespace: SYSTEM } };
          await cluster.api.delete(ref, { gracePeriodSeconds: 0 });
        }
        line.mark('no operator');
        await cluster.untilSettled(MOVES_MS);
      },
    });
    expect(await cluster.claims('shard')).toEqual([1, 2, 3].map((n) => `data-demo-shard-${n}`));
  });

  scenario('goes on after a restart of the API server', of, async ({ cluster, line }) => {
    const pods = await cluster.api.list<Pod>(POD, 'kube-system', 'component=kube-apiserver');
    const [server] = pods;
    const node = server?.spec.nodeName ?? '';
    const id = server?.status.containerStatuses?.[0]?.containerID;
    if (id === undefined || !(await isLocal(node))) {
      line.mark('not tried: the API server is no container of this machine');
      return;
    }
    await killContainer(node, id);
    const answers = async (): Promise<boolean> =>
      cluster.api.send({ method: 'GET', path: '/readyz' }).then(
        ({ status }) => status === 200,
        () => false,
      );
    const hasGone = async (): Promise<boolean> => !(await answers());
    await until('the API server is gone', hasGone, { timeoutMs: 60_000, everyMs: 50 });
    await until('the API server answers', answers, { timeoutMs: 120_000, everyMs: 200 });
    line.mark('the API server is back');
    await cluster.scale(4);
    const isTold = async (): Promise<boolean> => (await cluster.pods('shard')).length === 4;
    await until('the fourth shard has a pod', isTold, { timeoutMs: 60_000, everyMs: 200 });
    line.mark('reconciled');
    await cluster.untilSettled(MOVES_MS);
    await cluster.scale(3);
    await cluster.untilSettled(MOVES_MS);
  });

  scenario('keeps others from scaling a StatefulSet', of, async ({ cluster }) => {
    const metadata = { name: 'demo-shard', namespace: cluster.namespace };
    const ref = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata };
    await expect(cluster.api.patch(ref, { spec: { replicas: 1 } }, '/scale')).rejects.toThrow(
      /denied|operator/,
    );
    await expect(cluster.api.patch(ref, { spec: { replicas: 1 } })).rejects.toThrow(/denied|operator/);
  });
});
