/** Objects as few and as small as they may be: what the planner asks of them is the same. */
import { componentName, owned } from '../../src/resources/names.js';
import type { Component, Manifest, OwnedObjects, Shape } from '../../src/planning/types.js';
import type { RingleaderCluster } from '@ringleader/contracts';

export const smallObjects: OwnedObjects = (cluster, shape) => [
  owned(cluster, {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', name: componentName(cluster, 'coordinator') },
    body: {
      data: {
        bootstrap: shape.coordinatorBootstrap,
        founders: String(shape.founders),
        initialShards: String(shape.initialShards),
      },
    },
  }),
  workload(cluster, shape, 'nats'),
  workload(cluster, shape, 'coordinator', cluster.spec.coordinators.storage.size),
  workload(cluster, shape, 'failure-detector'),
  workload(cluster, shape, 'shard', cluster.spec.shards.storage.size),
  workload(cluster, shape, 'gateway'),
];

function workload(
  cluster: RingleaderCluster,
  { replicas, images }: Shape,
  component: Component,
  size?: string,
): Manifest {
  const kind = component === 'gateway' || component === 'failure-detector' ? 'Deployment' : 'StatefulSet';
  const image = component === 'nats' ? images.nats : images.ringleader;
  return owned(cluster, {
    ...{ apiVersion: 'apps/v1', kind, name: componentName(cluster, component) },
    body: {
      spec: {
        replicas: replicas[component],
        template: { image },
        ...(size !== undefined && { volumeClaimTemplates: [{ size }] }),
      },
    },
  });
}
