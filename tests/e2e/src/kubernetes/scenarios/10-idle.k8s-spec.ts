/** A cluster at rest is left alone: for five minutes the operator writes nothing to the API server but the renewals of its Lease. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { onKubernetes } from '../harness/given.js';
import { scenario } from '../harness/scenario.js';
import type { KubeObject } from '../harness/api.js';
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

const MANAGER = 'ringleader-operator';
const CONTROLLER = 'ringleader.io/operator';

/** Of an event, who tells it. */
type Written = KubeObject & { readonly reportingComponent?: string };

/**
 * What the operator has written, and when, by name: each write of it is told there. A kubelet that finds a probe late on a
 * busy machine writes too; that is not asked for here.
 */
async function writes(cluster: ClusterUnderTest): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const note = ({ kind, metadata, reportingComponent }: Written): void => {
    const own = (metadata.managedFields ?? []).filter(({ manager }) => manager === MANAGER);
    const isOwnEvent = reportingComponent === CONTROLLER;
    if (own.length > 0 || isOwnEvent)
      found[`${kind}/${metadata.name}`] = isOwnEvent ? (metadata.resourceVersion ?? '') : JSON.stringify(own);
  };
  note(await cluster.read());
  for (const [apiVersion, kind] of KINDS) {
    for (const object of await cluster.api.list<Written>({ apiVersion, kind }, cluster.namespace))
      note({ ...object, kind });
  }
  return found;
}

/** Events are forgotten after an hour; that is nobody's write. */
const without = (gone: Record<string, string>, all: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('Event/') || name in gone));

onKubernetes('idle', {}, (of) => {
  scenario('five minutes without a write', of, async ({ cluster, line }) => {
    const before = await writes(cluster);
    expect(Object.keys(before)).toContain('StatefulSet/demo-coordinator');
    line.mark(`${Object.keys(before).length} objects that the operator has written`);
    await delay(IDLE_MS);
    const after = await writes(cluster);
    expect(after).toEqual(without(after, before));
  });
});
