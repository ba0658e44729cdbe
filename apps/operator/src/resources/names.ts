/** How a cluster's objects are called, labelled and found: one place, since operator, policies and people go by it. */
import {
  CLUSTER_API_VERSION,
  CLUSTER_KIND,
  type RingleaderCluster,
  type Service,
} from '@ringleader/contracts';
import type { Component, Manifest } from '../planning/types.js';

export const OPERATOR_NAMESPACE = 'ringleader-system';
export const MANAGED_BY = 'ringleader-operator';
/** On a shard's pod, by the operator: the zone of its node. The pod waits for it where the cluster has zones. */
export const ZONE_ANNOTATION = 'ringleader.io/zone';
/** Of a node without the label. Never empty: the pod would wait on. */
export const ZONE_UNKNOWN = 'none';
/** On pods that do not notice by themselves that a file of theirs has changed: another value makes them be rolled. */
export const FILES_ANNOTATION = 'ringleader.io/files';

/** Of a Secret: when what is in it was made, or when the present step of making it anew began. */
export const SINCE_ANNOTATION = 'ringleader.io/since';

type Named = Pick<RingleaderCluster, 'metadata'>;

export const componentName = ({ metadata }: Named, component: Component): string =>
  `${metadata.name}-${component}`;

const part = (suffix: string) => (cluster: Named) => `${cluster.metadata.name}-${suffix}`;

/** Of Secrets, and of the ConfigMap that has the authority's certificate again, for those who need no key. */
export const secretNames = {
  /** `token`. */
  rootToken: part('root-token'),
  /** `ca.crt`, `ca.key`; the ConfigMap has `ca.crt`. */
  authority: part('ca'),
  /** Of type kubernetes.io/tls, with `ca.crt`. */
  natsTls: part('nats-tls'),
  gatewayTls: part('gateway-tls'),
  /** `password`. */
  natsRoutes: part('nats-routes'),
  /** `nats.conf`. */
  natsConfig: part('nats-config'),
  /** `seed`: one for each service, mounted into its pods only. */
  natsSeed: (cluster: Named, service: Service): string => `${cluster.metadata.name}-nats-${service}`,
} as const;

/** The same for all components, on everything that is owned. */
export function clusterLabels({ metadata }: Named): Record<string, string> {
  return { 'app.kubernetes.io/name': 'ringleader', 'app.kubernetes.io/instance': metadata.name };
}

/** What selectors go by: they cannot change, so nothing that may is among them. */
export function componentLabels(cluster: Named, component: Component): Record<string, string> {
  return { ...clusterLabels(cluster), 'app.kubernetes.io/component': component };
}

export const managedLabel = { 'app.kubernetes.io/managed-by': MANAGED_BY } as const;

/** As text: what /scale of the custom resource needs. */
export function shardSelector(cluster: Named): string {
  return Object.entries(componentLabels(cluster, 'shard'))
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}

export function ownerReference({ metadata: { name, uid } }: Named): object {
  return {
    apiVersion: CLUSTER_API_VERSION,
    kind: CLUSTER_KIND,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

interface ObjectParts {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly component?: Component;
  readonly annotations?: Readonly<Record<string, string>>;
  /** spec, data, and what else the kind has. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** An object that goes with the cluster. */
export function owned(cluster: Named, parts: ObjectParts): Manifest {
  const { apiVersion, kind, name, component, annotations, body } = parts;
  const labels = component === undefined ? clusterLabels(cluster) : componentLabels(cluster, component);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: cluster.metadata.namespace,
      labels: { ...labels, ...managedLabel },
      ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [ownerReference(cluster)],
    },
    ...body,
  };
}

/** host names of the pods of a StatefulSet, from its first ordinal on. */
export function podHosts(cluster: Named, component: Component, replicas: number): string[] {
  const service = componentName(cluster, component);
  return Array.from(
    { length: replicas },
    (_, i) => `${service}-${i + 1}.${service}.${cluster.metadata.namespace}.svc`,
  );
}

/** The names of a Service, from the shortest that its own namespace knows. */
export function serviceHosts({ metadata: { namespace } }: Named, service: string): string[] {
  const full = `${service}.${namespace}.svc`;
  return [service, `${service}.${namespace}`, full, `${full}.cluster.local`];
}
