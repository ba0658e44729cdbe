/** The kinds of objects that the operator reads and writes, and where the API server has them. */
import { CLUSTER_API_VERSION, CLUSTER_KIND, CLUSTER_PLURAL } from '@ringleader/contracts';
import { OWNED_KINDS } from '../resources/index.js';

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Absent: in namespaces. */
  readonly isClusterWide?: true;
}

export const CLUSTERS: Kind = {
  apiVersion: CLUSTER_API_VERSION,
  kind: CLUSTER_KIND,
  plural: CLUSTER_PLURAL,
};
export const PODS: Kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };
export const CLAIMS: Kind = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
};
export const SECRETS: Kind = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' };
export const CONFIG_MAPS: Kind = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' };
export const STATEFUL_SETS: Kind = { apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets' };
export const NODES: Kind = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', isClusterWide: true };
export const NAMESPACES: Kind = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  isClusterWide: true,
};
export const STORAGE_CLASSES: Kind = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  isClusterWide: true,
};
export const LEASES: Kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' };
export const EVENTS: Kind = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' };

const kindsOf = (isOptional: boolean): readonly Kind[] =>
  OWNED_KINDS.filter((one) => (one.isOptional === true) === isOptional).map(
    ({ apiVersion, kind, resource: plural }) => ({ apiVersion, kind, plural }),
  );

/** What is made for a cluster, besides pods and claims, which StatefulSets make. */
export const OWNED = kindsOf(false);

/** Of others: made where this API server has them. */
export const OPTIONAL = kindsOf(true);

const ALL = [CLUSTERS, PODS, CLAIMS, ...OWNED, ...OPTIONAL];

export function kindOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): Kind {
  const found = ALL.find((one) => one.kind === kind && one.apiVersion === apiVersion);
  if (found === undefined) throw new RangeError(`The operator does not know ${apiVersion} ${kind}`);
  return found;
}

/** `namespace` null: in all. */
export function pathOf(kind: Kind, namespace: string | null, ...rest: readonly string[]): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const scope = kind.isClusterWide === true || namespace === null ? [] : ['namespaces', namespace];
  return [root, ...scope, kind.plural, ...rest.map(encodeURIComponent)].join('/');
}
