/** The custom resource as it is read from the API server, which has checked it; one of a version before may lack what is new. */
import {
  CLUSTER_API_VERSION,
  CLUSTER_KIND,
  OperationalError,
  ringleaderClusterSpecSchema,
} from '@ringleader/contracts';
import type {
  RingleaderCluster,
  RingleaderClusterSpec,
  RingleaderClusterStatus,
} from '@ringleader/contracts';
import type { KubeObject } from '../kubernetes/kube-api.js';

export function clusterOf(live: KubeObject): RingleaderCluster {
  const parsed = ringleaderClusterSpecSchema.safeParse(live['spec']);
  if (parsed.success) return withSpec(live, parsed.data);
  const issues = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  const list = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new OperationalError('CONFIG_INVALID', `The specification is not valid: ${list}`, { issues });
}

/**
 * Of one that is to go, whatever else it says: what its definition does not allow any more must not keep it, and the namespace, for ever.
 * Volumes are deleted only where it says so.
 */
export function departingOf(live: KubeObject): RingleaderCluster {
  const parsed = ringleaderClusterSpecSchema.safeParse(live['spec']);
  if (parsed.success) return withSpec(live, parsed.data);
  const { deletionPolicy: said } = (live['spec'] ?? {}) as { readonly deletionPolicy?: unknown };
  const deletionPolicy = said === 'Delete' ? 'Delete' : 'Retain';
  return withSpec(live, ringleaderClusterSpecSchema.parse({ shards: { replicas: 1 }, deletionPolicy }));
}

function withSpec(live: KubeObject, spec: RingleaderClusterSpec): RingleaderCluster {
  const { namespace = '', generation = 0, ...metadata } = live.metadata;
  const status = live['status'] as RingleaderClusterStatus | undefined;
  return {
    apiVersion: CLUSTER_API_VERSION,
    kind: CLUSTER_KIND,
    metadata: { ...metadata, namespace, generation },
    spec,
    ...(status !== undefined && { status }),
  };
}
