/** The shapes of Secrets. What is in them, whoever makes them decides once; they are never made from the custom resource alone. */
import type { RingleaderCluster } from '@ringleader/contracts';
import type { Manifest } from '../planning/types.js';
import {
  clusterLabels,
  managedLabel,
  owned,
  ownerReference,
  secretNames,
  SINCE_ANNOTATION,
} from './names.js';

export interface SecretParts {
  readonly name: string;
  /** As text; encoded here. */
  readonly data: Readonly<Record<string, string>>;
  readonly type?: 'Opaque' | 'kubernetes.io/tls';
  /** Absent: since it was made. */
  readonly since?: string;
}

/**
 * Without an owner where the cluster's volumes are kept when it is deleted: what a volume holds goes by these, and a cluster of the same
 * name that finds it again must find them, too. Not immutable: all of them are made anew when that is asked for, and a kubelet that knows
 * an immutable one gives its old content to new pods, too, for as long as any pod of its node has it.
 */
export function secretManifest(
  cluster: RingleaderCluster,
  { name, data, type = 'Opaque', since }: SecretParts,
): Manifest {
  const { namespace } = cluster.metadata;
  const isKept = cluster.spec.deletionPolicy === 'Retain';
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels: { ...clusterLabels(cluster), ...managedLabel },
      ...(since === undefined ? {} : { annotations: { [SINCE_ANNOTATION]: since } }),
      ...(isKept ? {} : { ownerReferences: [ownerReference(cluster)] }),
    },
    type,
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  };
}

/** The authority's certificate, for those who only check by it. */
export function authorityConfigMap(cluster: RingleaderCluster, certificatePem: string): Manifest {
  return owned(cluster, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: secretNames.authority(cluster),
    body: { data: { 'ca.crt': certificatePem } },
  });
}
