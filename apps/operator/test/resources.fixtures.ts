/** For tests: clusters as the API server would hand them over, with all defaults filled in. */
import {
  CLUSTER_API_VERSION,
  CLUSTER_KIND,
  ringleaderClusterSpecSchema,
  type RingleaderCluster,
} from '@ringleader/contracts';
import { namedImages } from '../src/planning/images.js';
import type { Images, Manifest, Shape } from '../src/planning/types.js';
import { ownedObjects } from '../src/resources/owned-objects.js';

export const images: Images = { ringleader: 'ringleader:1', postgres: 'postgres:1', nats: 'nats:1' };

/** `spec` as a user writes it. */
export function clusterOf(spec: Record<string, unknown> = {}): RingleaderCluster {
  return {
    apiVersion: CLUSTER_API_VERSION,
    kind: CLUSTER_KIND,
    metadata: { name: 'demo', namespace: 'space', uid: 'u-1', generation: 1, resourceVersion: '1' },
    spec: ringleaderClusterSpecSchema.parse({ shards: { replicas: 3 }, ...spec }),
  };
}

export function shapeOf(cluster: RingleaderCluster, more: Partial<Shape> = {}): Shape {
  const { coordinators, shards, gateways, failureDetectors, nats } = cluster.spec;
  return {
    replicas: {
      nats: nats.managed?.replicas ?? 3,
      coordinator: coordinators.replicas,
      shard: shards.replicas,
      'failure-detector': failureDetectors.replicas,
      gateway: gateways.replicas,
    },
    coordinatorBootstrap: 'new-cluster',
    founders: coordinators.replicas,
    initialShards: shards.replicas,
    optionalKinds: [],
    secretHashes: {},
    images: { ...images, ...namedImages(cluster) },
    ...more,
  };
}

export function objectsOf(spec: Record<string, unknown> = {}, more: Partial<Shape> = {}): Manifest[] {
  const cluster = clusterOf(spec);
  return ownedObjects(cluster, shapeOf(cluster, more));
}

interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly restartPolicy?: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly resources: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly [part: string]: unknown;
}
export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
  readonly [source: string]: unknown;
}
export interface Pod {
  readonly serviceAccountName: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly [part: string]: unknown;
}
export interface Template {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Pod;
}

export interface Workload {
  readonly manifest: Manifest;
  readonly template: Template;
}

export function workloads(objects: readonly Manifest[]): Workload[] {
  return objects
    .filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment')
    .map((manifest) => ({ manifest, template: (manifest['spec'] as { template: Template }).template }));
}

export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

export function templateOf(objects: readonly Manifest[], name: string): Template {
  const found = workloads(objects).find(({ manifest }) => manifest.metadata.name === name);
  if (found === undefined) throw new Error(`there are no pods of ${name}`);
  return found.template;
}

export function imagesOf(objects: readonly Manifest[]): Set<string> {
  const pods = workloads(objects).map(({ template }) => template.spec);
  const containers = pods.flatMap(({ initContainers = [], containers: main }) => [
    ...initContainers,
    ...main,
  ]);
  return new Set(containers.map(({ image }) => image));
}
