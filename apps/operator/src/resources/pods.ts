/** What all pods have in common: who they run as, where they run, how they are asked for their health, how they reach NATS. */
import { GATEWAY_DRAIN_MS } from '@ringleader/contracts';
import type { RingleaderCluster, RingleaderClusterSpec, Service } from '@ringleader/contracts';
import type { Component, Shape } from '../planning/types.js';
import type { ContainerResources } from './memory.js';
import {
  clusterLabels,
  componentLabels,
  componentName,
  FILES_ANNOTATION,
  managedLabel,
  podHosts,
  secretNames,
} from './names.js';

/** What the builders of objects are given. */
export interface Wanted {
  readonly cluster: RingleaderCluster;
  readonly shape: Shape;
}

type Json = Readonly<Record<string, unknown>>;
export type EnvironmentVariable = Json & { readonly name: string };
export type Volume = Json & { readonly name: string };
export type VolumeMount = Json & { readonly name: string; readonly mountPath: string };

/** Of the user in the image of the services. */
export const SERVICE_USER_ID = 65_532;
export const PORTS = {
  nats: 4_222,
  natsRoutes: 6_222,
  natsMonitoring: 8_222,
  /** /livez, /readyz, /startupz and /metrics of each service. */
  metrics: 9_090,
  https: 8_443,
  http: 8_080,
} as const;

/** So long a gateway goes on after TERM, until all who balance by endpoints have heard that it is not ready. */
export const GATEWAY_PAUSE_MS = 5_000;
/** Main containers that use all of their grace get their sidecars killed. */
const DONE_EARLIER_SECONDS = 30;

/** From TERM to KILL. The services are done half a minute earlier. */
export const GRACE_SECONDS: Readonly<Record<Component, number>> = {
  nats: 60,
  coordinator: 60,
  shard: 120,
  'failure-detector': 40,
  // After the pause, what is under way ends by its clients' own deadlines.
  gateway: (GATEWAY_PAUSE_MS + GATEWAY_DRAIN_MS) / 1_000 + DONE_EARLIER_SECONDS,
};
export const stopWithinMs = (component: Component): string =>
  String((GRACE_SECONDS[component] - DONE_EARLIER_SECONDS) * 1_000);

/** Made with the operator (k8s/): a pod whose class does not exist is refused. */
export const PRIORITY_CLASSES = ['ringleader-coordination', 'ringleader-data', 'ringleader-edge'] as const;
const PRIORITY: Readonly<Record<Component, (typeof PRIORITY_CLASSES)[number]>> = {
  nats: 'ringleader-coordination',
  coordinator: 'ringleader-coordination',
  'failure-detector': 'ringleader-coordination',
  shard: 'ringleader-data',
  gateway: 'ringleader-edge',
};

export const FOLDERS = {
  natsSeed: '/etc/ringleader/nats',
  authority: '/etc/ringleader/ca',
} as const;

export const variable = (name: string, value: string): EnvironmentVariable => ({ name, value });
export const field = (name: string, fieldPath: string): EnvironmentVariable => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

/** By Kubernetes, which names pods' ordinals in a label. */
export const podIndex = field('POD_INDEX', "metadata.labels['apps.kubernetes.io/pod-index']");

export type ManagedNats = NonNullable<RingleaderClusterSpec['nats']['managed']>;
/** Null where the cluster uses servers that are there already. */
export function managedNats({ spec: { nats } }: Pick<RingleaderCluster, 'spec'>): ManagedNats | null {
  return nats.external === undefined ? (nats.managed ?? { replicas: 3 }) : null;
}

function natsUrl(cluster: RingleaderCluster): string {
  const { external } = cluster.spec.nats;
  if (external !== undefined) return external.servers.join(',');
  const hosts = podHosts(cluster, 'nats', managedNats(cluster)?.replicas ?? 0);
  return hosts.map((host) => `tls://${host}:${PORTS.nats}`).join(',');
}

/** What each service's process is told, whatever it is. */
export function serviceEnvironment(cluster: RingleaderCluster, component: Component): EnvironmentVariable[] {
  const isManaged = managedNats(cluster) !== null;
  return [
    field('POD_NAME', 'metadata.name'),
    field('POD_IP', 'status.podIP'),
    // Images may be older than the operator.
    variable('RINGLEADER_UNKNOWN_VARIABLES', 'warn'),
    variable('RINGLEADER_CLUSTER', cluster.metadata.name),
    // Every address, of either family: a pod may have none of IPv4.
    variable('RINGLEADER_PROBE_HOST', '::'),
    variable('RINGLEADER_PROBE_PORT', String(PORTS.metrics)),
    variable('RINGLEADER_STOP_WITHIN_MS', stopWithinMs(component)),
    variable('RINGLEADER_NATS_URL', natsUrl(cluster)),
    // It tells of pods' addresses, which no certificate has.
    variable('RINGLEADER_NATS_DISCOVERY', 'no'),
    variable('RINGLEADER_NATS_NKEY_FILE', `${FOLDERS.natsSeed}/seed`),
    // Keys are made, and made anew, while servers and services run: who comes a moment too early waits.
    variable('RINGLEADER_NATS_REFUSED', 'wait'),
    isManaged
      ? variable('RINGLEADER_NATS_CA_FILE', `${FOLDERS.authority}/ca.crt`)
      : // Beside the well-known authorities, and only if the file is there.
        variable('NODE_EXTRA_CA_CERTS', `${FOLDERS.natsSeed}/ca.crt`),
  ];
}

export interface Mounted {
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
}

const FILE_MODE = 0o440;

/** The service's own seed, and whom it trusts. Files are read again at each connect, so a change of them rolls nothing. */
export function natsFiles(cluster: RingleaderCluster, service: Service): Mounted {
  const { external } = cluster.spec.nats;
  const mounts = [{ name: 'nats-seed', mountPath: FOLDERS.natsSeed, readOnly: true }];
  if (external !== undefined) {
    const { credentialsSecret: name } = external;
    const sources = [
      { secret: { name, items: [{ key: `${service}.nk`, path: 'seed' }] } },
      { secret: { name, items: [{ key: 'ca.crt', path: 'ca.crt' }], optional: true } },
    ];
    return { volumes: [{ name: 'nats-seed', projected: { sources, defaultMode: FILE_MODE } }], mounts };
  }
  const seed = { secretName: secretNames.natsSeed(cluster, service), defaultMode: FILE_MODE };
  return {
    volumes: [
      { name: 'nats-seed', secret: seed },
      { name: 'authority', configMap: { name: secretNames.authority(cluster) } },
    ],
    mounts: [...mounts, { name: 'authority', mountPath: FOLDERS.authority, readOnly: true }],
  };
}

export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

const probe = (path: string, more: Json): Json => ({ httpGet: { path, port: 'metrics' }, ...more });

/**
 * Half an hour to start: a recovery is never killed. Live means that the event loop turns; a pause of a minute is borne. Ready
 * means that another may be disturbed.
 */
export const SERVICE_PROBES: Json = {
  startupProbe: probe('/startupz', { periodSeconds: 1, failureThreshold: 1_800, timeoutSeconds: 3 }),
  livenessProbe: probe('/livez', { periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 }),
  readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 2, timeoutSeconds: 3 }),
};

export interface ServiceContainer {
  readonly service: Exclude<Component, 'nats'>;
  readonly environment: readonly EnvironmentVariable[];
  readonly resources: ContainerResources;
  readonly mounts: readonly VolumeMount[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
}

export function serviceContainer(wanted: Wanted, container: ServiceContainer): Json {
  const { service, environment, resources, mounts, ports = [] } = container;
  return {
    name: service,
    image: wanted.shape.images.ringleader,
    imagePullPolicy: wanted.cluster.spec.images.pullPolicy,
    command: ['/ringleader/bin/ringleader-service', service],
    env: [...serviceEnvironment(wanted.cluster, service), ...environment],
    ports: [{ name: 'metrics', containerPort: PORTS.metrics }, ...ports],
    resources,
    ...SERVICE_PROBES,
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...mounts],
  };
}

export interface PodParts {
  readonly component: Component;
  readonly containers: readonly Json[];
  readonly initContainers?: readonly Json[];
  readonly volumes: readonly Volume[];
  /** Of all processes of the pod, and of the group of its volumes. */
  readonly userId?: number;
  /** A label of nodes by which it is spread besides their names. */
  readonly zoneKey?: string;
  readonly tolerations?: readonly Json[];
  /** Whether processes may ask the API server, under the pod's own account. */
  readonly asksApiServer?: boolean;
  /** Hashes of files for which pods are to be rolled. */
  readonly files?: string;
}

/** Of a Deployment, each version is spread by itself, or a roll could find no node. */
function spread({ component, zoneKey }: PodParts, cluster: RingleaderCluster): Json[] {
  const isStateless = component === 'gateway' || component === 'failure-detector';
  const shared = {
    maxSkew: 1,
    labelSelector: { matchLabels: componentLabels(cluster, component) },
    ...(isStateless ? { matchLabelKeys: ['pod-template-hash'] } : {}),
    // Nodes that are drained, or for others only, are none that a pod could go to.
    nodeTaintsPolicy: 'Honor',
  };
  return [
    { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', ...shared },
    {
      topologyKey: zoneKey ?? 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      ...shared,
    },
  ];
}

export function podTemplate(cluster: RingleaderCluster, parts: PodParts): Json {
  const { component, containers, initContainers = [], userId = SERVICE_USER_ID, files } = parts;
  const { pullSecrets } = cluster.spec.images;
  return {
    metadata: {
      labels: { ...componentLabels(cluster, component), ...managedLabel },
      ...(files === undefined ? {} : { annotations: { [FILES_ANNOTATION]: files } }),
    },
    spec: {
      serviceAccountName: componentName(cluster, component),
      automountServiceAccountToken: parts.asksApiServer ?? false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: GRACE_SECONDS[component],
      priorityClassName: PRIORITY[component],
      ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: userId,
        runAsGroup: userId,
        fsGroup: userId,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      topologySpreadConstraints: spread(parts, cluster),
      ...(parts.tolerations === undefined ? {} : { tolerations: parts.tolerations }),
      ...(initContainers.length === 0 ? {} : { initContainers }),
      containers,
      volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }, ...parts.volumes],
    },
  };
}

export interface ClaimParts {
  readonly size: string;
  readonly storageClassName?: string | undefined;
}

/** The operator rolls its pods by itself, and deletes their claims by itself: nothing else may do either. */
export function statefulSetSpec({ cluster, shape }: Wanted, pod: PodParts, claim: ClaimParts | null): Json {
  const { component } = pod;
  return {
    serviceName: componentName(cluster, component),
    replicas: shape.replicas[component],
    // Members are numbered from 1 on, as everywhere.
    ordinals: { start: 1 },
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'OnDelete' },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    revisionHistoryLimit: 3,
    selector: { matchLabels: componentLabels(cluster, component) },
    template: podTemplate(cluster, pod),
    ...(claim === null ? {} : { volumeClaimTemplates: [claimTemplate(cluster, component, claim)] }),
  };
}

function claimTemplate(
  cluster: RingleaderCluster,
  component: Component,
  { size, storageClassName }: ClaimParts,
): Json {
  return {
    metadata: { name: 'data', labels: { ...componentLabels(cluster, component), ...managedLabel } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: size } },
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}

/** Of stateless pods whose node does not answer: another one at once, not after five minutes. */
export const LEAVE_LOST_NODES: readonly Json[] = ['not-ready', 'unreachable'].map((key) => ({
  key: `node.kubernetes.io/${key}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 30,
}));

export function deploymentSpec({ cluster, shape }: Wanted, pod: PodParts): Json {
  const { component } = pod;
  return {
    replicas: shape.replicas[component],
    revisionHistoryLimit: 3,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
    selector: { matchLabels: componentLabels(cluster, component) },
    template: podTemplate(cluster, { tolerations: LEAVE_LOST_NODES, ...pod }),
  };
}

export const clusterPodSelector = (cluster: RingleaderCluster): Json => ({
  matchLabels: clusterLabels(cluster),
});
