/** The shapes of Secrets. What is in them, whoever makes them decides once; they are never made from the custom resource alone. */
import type { RingleaderCluster } from '@ringleader/contracts';
import type { Manifest } from '../planning/types.js';
import { clusterLabels, managedLabel, owned, ownerReference, secretNames } from './names.js';

export interface SecretParts {
  readonly name: string;
  /** As text; encoded here. */
  readonly data: Readonly<Record<string, string>>;
  readonly type?: 'Opaque' | 'kubernetes.io/tls';
}

/**
 * Without an owner where the cluster's volumes are kept when it is deleted: what a volume holds goes by these, and a cluster of the same
 * name that finds it again must find them, too. Immutable, so that a slip of the hand changes nothing; renewed certificates and the
 * servers' configuration are the ones that change.
 */
export function secretManifest(
  cluster: RingleaderCluster,
  { name, data, type = 'Opaque' }: SecretParts,
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
      ...(isKept ? {} : { ownerReferences: [ownerReference(cluster)] }),
    },
    type,
    immutable: !changes(cluster, name),
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  };
}

function changes(cluster: RingleaderCluster, name: string): boolean {
  const { natsConfig, natsTls, gatewayTls, authority } = secretNames;
  return [natsConfig, natsTls, gatewayTls, authority].some((nameOf) => nameOf(cluster) === name);
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
