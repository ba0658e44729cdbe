import { ringleaderClusterSpecSchema, type RingleaderCluster } from '@ringleader/contracts';

export const GOOD_IMAGES = ['good-1', 'good-2'] as const;
export const BAD_IMAGE = 'bad';

/** As somebody has just applied it. */
export function newCluster(): RingleaderCluster {
  return {
    apiVersion: 'ringleader.io/v1alpha1',
    kind: 'RingleaderCluster',
    metadata: { name: 'demo', namespace: 'ns', uid: 'cluster-1', generation: 1, resourceVersion: '1' },
    spec: ringleaderClusterSpecSchema.parse({
      partitions: 16,
      shards: { replicas: 3 },
      gateways: { replicas: 1 },
      failureDetectors: { replicas: 1 },
      images: { ringleader: GOOD_IMAGES[0] },
      nats: { managed: { image: GOOD_IMAGES[0] } },
    }),
  };
}
