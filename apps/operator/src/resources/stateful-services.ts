/** What a StatefulSet needs beside itself, and coordinators. */
import { hash } from 'node:crypto';
import type { Component, Manifest } from '../planning/types.js';
import { containerResources } from './memory.js';
import { componentLabels, componentName, owned } from './names.js';
import {
  natsFiles,
  podIndex,
  PORTS,
  serviceContainer,
  statefulSetSpec,
  variable,
  type Wanted,
} from './pods.js';

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: string;
}
export const METRICS_PORT: ServicePort = { name: 'metrics', port: PORTS.metrics, targetPort: 'metrics' };

/** Gives each pod a name. They find each other before they are ready, or they never would be. */
export function headlessService(
  { cluster }: Wanted,
  component: Component,
  ports: readonly ServicePort[],
): Manifest {
  return owned(cluster, {
    apiVersion: 'v1',
    kind: 'Service',
    name: componentName(cluster, component),
    component,
    body: {
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: componentLabels(cluster, component),
        ports: ports.map((port) => ({ ...port, protocol: 'TCP' })),
      },
    },
  });
}

/**
 * One at a time. Of what has no data, broken pods may always be evicted. Labels are static: a role among them would match nothing
 * while nobody has it.
 */
export function disruptionBudget({ cluster }: Wanted, component: Component): Manifest {
  const hasData = component === 'coordinator' || component === 'shard';
  return owned(cluster, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    name: componentName(cluster, component),
    component,
    body: {
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: hasData ? 'IfHealthyBudget' : 'AlwaysAllow',
        selector: { matchLabels: componentLabels(cluster, component) },
      },
    },
  });
}

export function statefulSet(wanted: Wanted, component: Component, spec: unknown): Manifest {
  const name = componentName(wanted.cluster, component);
  return owned(wanted.cluster, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name,
    component,
    body: { spec },
  });
}

/** Short, and the same for the same files whatever their order. */
export function filesHash(files: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(sorted)).slice(0, 16);
}

/** Of the ConfigMap NAME-coordinator. */
export const BOOTSTRAP_KEYS = {
  bootstrap: 'bootstrap',
  founders: 'coordinators',
  initialShards: 'initial-shards',
} as const;
const BOOTSTRAP_FOLDER = '/etc/ringleader/bootstrap';
const DATA_FOLDER = '/var/lib/ringleader';

/**
 * What an empty volume is for, and the sizes at the founding. As files, since they change when the cluster is founded, and no pod is
 * to be rolled for that.
 */
function bootstrap({ cluster, shape }: Wanted): Manifest {
  return owned(cluster, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: componentName(cluster, 'coordinator'),
    component: 'coordinator',
    body: {
      data: {
        [BOOTSTRAP_KEYS.bootstrap]: shape.coordinatorBootstrap,
        [BOOTSTRAP_KEYS.founders]: String(shape.founders),
        [BOOTSTRAP_KEYS.initialShards]: String(shape.initialShards),
      },
    },
  });
}

export function coordinatorObjects(wanted: Wanted): Manifest[] {
  const { cluster } = wanted;
  const { coordinators, partitions, replicationFactor, failureDetectors } = cluster.spec;
  const nats = natsFiles(cluster, 'coordinator');
  const container = serviceContainer(wanted, {
    service: 'coordinator',
    environment: [
      podIndex,
      variable('RINGLEADER_MEMBER', 'coordinator-$(POD_INDEX)'),
      variable('RINGLEADER_COORDINATOR_ID', '$(POD_INDEX)'),
      variable('RINGLEADER_DATA_DIR', `${DATA_FOLDER}/coordinator`),
      variable('RINGLEADER_BOOTSTRAP_FILE', `${BOOTSTRAP_FOLDER}/${BOOTSTRAP_KEYS.bootstrap}`),
      variable('RINGLEADER_COORDINATOR_COUNT_FILE', `${BOOTSTRAP_FOLDER}/${BOOTSTRAP_KEYS.founders}`),
      variable('RINGLEADER_INITIAL_SHARDS_FILE', `${BOOTSTRAP_FOLDER}/${BOOTSTRAP_KEYS.initialShards}`),
      variable('RINGLEADER_PARTITION_COUNT', String(partitions)),
      variable('RINGLEADER_REPLICATION_FACTOR', String(replicationFactor)),
      variable('RINGLEADER_FAILURE_DETECTORS', String(failureDetectors.replicas)),
    ],
    resources: containerResources(coordinators.resources, { cpu: '100m', memory: '384Mi' }),
    mounts: [
      { name: 'data', mountPath: DATA_FOLDER },
      { name: 'bootstrap', mountPath: BOOTSTRAP_FOLDER, readOnly: true },
      ...nats.mounts,
    ],
  });
  const volumes = [
    { name: 'bootstrap', configMap: { name: componentName(cluster, 'coordinator') } },
    ...nats.volumes,
  ];
  const pod = { component: 'coordinator', containers: [container], volumes } as const;
  return [
    bootstrap(wanted),
    headlessService(wanted, 'coordinator', [METRICS_PORT]),
    disruptionBudget(wanted, 'coordinator'),
    statefulSet(wanted, 'coordinator', statefulSetSpec(wanted, pod, coordinators.storage)),
  ];
}
