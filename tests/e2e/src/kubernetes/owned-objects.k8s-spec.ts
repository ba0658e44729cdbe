/** What the operator would make of the samples, taken by a real API server, under restricted Pod Security, word for word. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ownedObjects, type Manifest, type Shape } from '@ringleader/app-operator';
import { ringleaderClusterSpecSchema, type RingleaderCluster } from '@ringleader/contracts';
import { workspaceRoot } from '@ringleader/testing-servers';
import { parse } from 'yaml';
import { KubernetesApi } from './harness/api.js';

const NAMESPACE = 'ringleader-owned-objects';
const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  // Of pods that are refused, their StatefulSets are warned of.
  'pod-security.kubernetes.io/warn': 'restricted',
};
const IMAGES = { ringleader: 'ringleader:1', postgres: 'postgres:1', nats: 'nats:1' };

function clusterOf(sample: string): RingleaderCluster {
  const text = readFileSync(join(workspaceRoot(), 'k8s', 'samples', sample), 'utf8');
  const { apiVersion, kind, metadata, spec } = parse(text) as RingleaderCluster;
  return {
    apiVersion,
    kind,
    metadata: { ...metadata, namespace: NAMESPACE, uid: 'u-1', generation: 1, resourceVersion: '1' },
    spec: ringleaderClusterSpecSchema.parse(spec),
  };
}

function shapeOf({ spec }: RingleaderCluster): Shape {
  return {
    replicas: {
      nats: 3,
      coordinator: spec.coordinators.replicas,
      shard: spec.shards.replicas,
      'failure-detector': spec.failureDetectors.replicas,
      gateway: spec.gateways.replicas,
    },
    coordinatorBootstrap: 'new-cluster',
    founders: spec.coordinators.replicas,
    initialShards: spec.shards.replicas,
    optionalKinds: [],
    secretHashes: {},
    images: IMAGES,
  };
}

/** Where the answer does not have what was sent: paths. An empty list is answered as none. */
function missing(sent: unknown, got: unknown, path = ''): string[] {
  if (Array.isArray(sent)) {
    const given = got ?? [];
    if (!Array.isArray(given) || given.length !== sent.length) return [path];
    return sent.flatMap((part, i) => missing(part, given[i], `${path}[${i}]`));
  }
  if (typeof sent === 'object' && sent !== null) {
    if (typeof got !== 'object' || got === null) return [path];
    return Object.entries(sent).flatMap(([name, part]) =>
      missing(part, (got as Record<string, unknown>)[name], `${path}.${name}`),
    );
  }
  return Object.is(sent, got) ? [] : [path];
}

describe('the objects of a cluster', () => {
  const api = KubernetesApi.fromEnvironment();
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE, labels: RESTRICTED },
  };
  beforeAll(() => api.apply(namespace));
  afterAll(() => api.delete(namespace));

  const collections: Readonly<Record<string, string>> = {
    ServiceAccount: 'api/v1/NS/serviceaccounts',
    ConfigMap: 'api/v1/NS/configmaps',
    Service: 'api/v1/NS/services',
    StatefulSet: 'apis/apps/v1/NS/statefulsets',
    Deployment: 'apis/apps/v1/NS/deployments',
    NetworkPolicy: 'apis/networking.k8s.io/v1/NS/networkpolicies',
    PodDisruptionBudget: 'apis/policy/v1/NS/poddisruptionbudgets',
  };

  /** As the operator does it, but for keeping it; without an owner, which is not there. */
  async function tryOut({ kind, metadata, ...rest }: Manifest): Promise<string[]> {
    const { ownerReferences: _, ...named } = metadata;
    const sent = { kind, metadata: named, ...rest };
    const collection = collections[kind]?.replace('NS', `namespaces/${NAMESPACE}`) ?? kind;
    const { status, text, warnings } = await api.send({
      method: 'PATCH',
      path: `/${collection}/${metadata.name}`,
      query: { fieldManager: 'ringleader-operator', force: 'true', dryRun: 'All' },
      body: sent,
      contentType: 'application/apply-patch+yaml',
    });
    const what = `${kind}/${metadata.name}`;
    if (status >= 300) return [`${what}: ${status} ${text}`];
    return [...warnings, ...missing(sent, JSON.parse(text))].map((problem) => `${what}: ${problem}`);
  }

  it.each(['small.yaml', 'production.yaml'])('of %s are taken as they are', async (sample) => {
    const cluster = clusterOf(sample);
    const objects = ownedObjects(cluster, shapeOf(cluster));
    const problems = await Promise.all(objects.map(tryOut));
    expect(problems.flat()).toEqual([]);
    expect(objects.length).toBeGreaterThan(25);
  });
});
