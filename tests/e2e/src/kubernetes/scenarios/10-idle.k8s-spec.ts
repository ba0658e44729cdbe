/** A cluster at rest is left alone: nobody writes to the API server for five minutes, but the renewals of the Lease. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { onKubernetes } from '../harness/given.js';
import { scenario } from '../harness/scenario.js';
import type { ClusterUnderTest } from '../harness/cluster-under-test.js';

const IDLE_MS = 300_000;
const KINDS = [
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'Deployment'],
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'ServiceAccount'],
  ['v1', 'PersistentVolumeClaim'],
  ['v1', 'Pod'],
  ['v1', 'Event'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
] as const;

/** Versions of everything in the namespace: each write makes another. */
async function versions(cluster: ClusterUnderTest): Promise<Record<string, string>> {
  const { metadata } = await cluster.read();
  const found: Record<string, string> = { cluster: metadata.resourceVersion ?? '' };
  for (const [apiVersion, kind] of KINDS) {
    for (const object of await cluster.api.list({ apiVersion, kind }, cluster.namespace))
      found[`${kind}/${object.metadata.name}`] = object.metadata.resourceVersion ?? '';
  }
  return found;
}

/** Events are forgotten after an hour; that is nobody's write. */
const without = (gone: Record<string, string>, all: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('Event/') || name in gone));

onKubernetes('idle', {}, (of) => {
  scenario('five minutes without a write', of, async ({ cluster, line }) => {
    const before = await versions(cluster);
    line.mark(`${Object.keys(before).length} objects`);
    await delay(IDLE_MS);
    const after = await versions(cluster);
    expect(after).toEqual(without(after, before));
  });
});
