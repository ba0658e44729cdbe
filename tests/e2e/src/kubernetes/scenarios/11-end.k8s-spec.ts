/** A cluster is deleted and comes back on its volumes with its data; then the namespace goes, and nothing stays. */
import { expect } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { Ledger } from '@ringleader/testing-workload';
import { onKubernetes } from '../harness/given.js';
import { scenario } from '../harness/scenario.js';

const GONE_MS = 300_000;
const WRITES = 100;

onKubernetes('the end', { spec: { deletionPolicy: 'Retain' } }, (of) => {
  scenario('deleted with Retain, and re-created: its data are there', of, async ({ cluster, line }) => {
    const before = await cluster.client(4);
    const ledger = new Ledger(before, `retained/${Date.now()}`);
    for (let written = 0; written < WRITES; written += 1) await ledger.append(5_000);
    const clusterId = (await cluster.read()).status?.clusterId;
    await cluster.api.delete(cluster.ref);
    const isGone = async (): Promise<boolean> =>
      (await cluster.api.get(cluster.ref)) === null && (await cluster.pods()).length === 0;
    await until('the cluster is gone', isGone, { timeoutMs: GONE_MS, everyMs: 250 });
    line.mark('gone');
    expect(await cluster.claims('shard')).toHaveLength(3);
    await cluster.begin({ deletionPolicy: 'Retain' });
    line.mark('back');
    expect((await cluster.read()).status?.clusterId).toBe(clusterId);
    const after = await cluster.client(4);
    expect((await ledger.verifyThrough(after, 4)).violations).toEqual([]);
    await Promise.all([before.close(), after.close()]);
  });

  scenario('the namespace is deleted, and is gone', of, async ({ cluster, line }) => {
    const ref = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: cluster.namespace } };
    await cluster.api.delete(ref);
    const isGone = async (): Promise<boolean> => (await cluster.api.get(ref)) === null;
    await until('the namespace is gone', isGone, { timeoutMs: GONE_MS, everyMs: 500 });
    line.mark('gone');
  });
});
