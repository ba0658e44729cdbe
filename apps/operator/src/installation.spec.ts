import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@ringleader/config';
import { CLUSTER_GROUP, CLUSTER_PLURAL } from '@ringleader/contracts';
import { parseAllDocuments } from 'yaml';
import { operatorConfigSchema } from './operator.config.js';
import { OWNED_KINDS } from './resources/owned-objects.js';
import { OPERATOR_NAMESPACE, MANAGED_BY } from './resources/names.js';
import { PRIORITY_CLASSES } from './resources/pods.js';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
}

const manifestsOf = (file: string): Manifest[] => {
  const path = fileURLToPath(new URL(`../../../k8s/base/${file}.yaml`, import.meta.url));
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as Manifest);
};

/** By group and resource. */
function rightsOf(kind: string): Map<string, readonly string[]> {
  const { rules = [] } =
    manifestsOf('operator-rbac').find((each) => each.kind === kind && each.metadata.name === MANAGED_BY) ??
    {};
  return new Map(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.map((name): [string, readonly string[]] => [`${group}/${name}`, verbs]),
      ),
    ),
  );
}

interface Deployment extends Manifest {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: [{ readonly env: readonly Variable[] }] } };
  };
}
interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

/** What it does beside what it owns: its clusters, the pods and claims that StatefulSets make, nodes' zones, events. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'storage.k8s.io/storageclasses': ['get'],
  [`${CLUSTER_GROUP}/${CLUSTER_PLURAL}`]: ['get', 'list', 'watch', 'patch'],
  [`${CLUSTER_GROUP}/${CLUSTER_PLURAL}/status`]: ['get', 'patch'],
  [`${CLUSTER_GROUP}/${CLUSTER_PLURAL}/finalizers`]: ['update'],
  '/pods': ['get', 'list', 'watch', 'patch', 'delete'],
  '/pods/eviction': ['create'],
  '/persistentvolumeclaims': ['get', 'list', 'watch', 'patch', 'delete'],
  '/nodes': ['get', 'list', 'watch'],
  '/namespaces': ['get', 'list', 'watch'],
  'events.k8s.io/events': ['list', 'create', 'patch'],
};

describe('the operator’s Deployment', () => {
  it('gives it the environment that it reads', () => {
    const deployment = manifestsOf('operator').find(({ kind }) => kind === 'Deployment') as Deployment;
    const fields: Record<string, string> = {
      'metadata.name': 'ringleader-operator-1',
      'metadata.namespace': OPERATOR_NAMESPACE,
    };
    const { env } = deployment.spec.template.spec.containers[0];
    const environment = env.map(({ name, value, valueFrom }): [string, string | undefined] => [
      name,
      value ?? fields[valueFrom?.fieldRef.fieldPath ?? ''],
    ]);
    expect(loadConfig(operatorConfigSchema, Object.fromEntries(environment), null)).toMatchObject({
      RINGLEADER_MEMBER: 'ringleader-operator-1',
      POD_NAMESPACE: OPERATOR_NAMESPACE,
      RINGLEADER_PROBE_HOST: '::',
      RINGLEADER_PROBE_PORT: 9_090,
    });
  });
});

describe('the operator’s pods', () => {
  it('have a class of priority that comes with them', () => {
    const [pods] = manifestsOf('operator').filter(({ kind }) => kind === 'Deployment') as unknown as [
      { readonly spec: { readonly template: { readonly spec: { readonly priorityClassName: string } } } },
    ];
    expect(PRIORITY_CLASSES).toContain(pods.spec.template.spec.priorityClassName);
  });
});

describe('the rights of the operator', () => {
  it('are for the kinds that it owns, and what it does beside them: no fewer, no more', () => {
    const owned = OWNED_KINDS.map(({ apiVersion, resource }): [string, readonly string[]] => [
      `${groupOf(apiVersion)}/${resource}`,
      ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    ]);
    const wanted = new Map([...owned, ...Object.entries(OTHERS)]);
    const sorted = (rights: ReadonlyMap<string, readonly string[]>) =>
      Object.fromEntries([...rights].map(([name, verbs]) => [name, [...verbs].sort()]));
    expect(sorted(rightsOf('ClusterRole'))).toEqual(sorted(wanted));
  });

  it('are no more in its own namespace than the Lease', () => {
    expect([...rightsOf('Role').keys()]).toEqual(['coordination.k8s.io/leases']);
    const ofNamespace = manifestsOf('operator-rbac').filter(({ metadata }) => 'namespace' in metadata);
    for (const { metadata } of ofNamespace) expect(metadata.namespace).toBe(OPERATOR_NAMESPACE);
  });

  it('come with the classes of priority that its pods have', () => {
    const classes = manifestsOf('priority-classes').map(({ metadata }) => metadata.name);
    expect(classes.sort()).toEqual([...PRIORITY_CLASSES].sort());
  });
});
