/** Shards: each a service with a PostgreSQL of its own beside it, which starts first and ends last. */
import type { Manifest } from '../planning/types.js';
import { containerResources } from './memory.js';
import { componentName, owned, ZONE_ANNOTATION } from './names.js';
import {
  CONTAINER_SECURITY,
  natsFiles,
  podIndex,
  serviceContainer,
  statefulSetSpec,
  variable,
  type Mounted,
  type Wanted,
} from './pods.js';
import { POSTGRES_ENTRY, POSTGRES_FOLDERS, postgresFiles, postgresUrl } from './postgres.js';
import {
  disruptionBudget,
  filesHash,
  headlessService,
  METRICS_PORT,
  statefulSet,
} from './stateful-services.js';

type Json = Readonly<Record<string, unknown>>;

const POD_FOLDER = '/etc/ringleader/pod';
const ZONE_FILE = `${POD_FOLDER}/zone`;

const postgresResources = ({ cluster }: Wanted) =>
  containerResources(cluster.spec.shards.postgres.resources, { cpu: '100m', memory: '512Mi' });

const isReadyCommand = ['pg_isready', '-q', '-t', '3', '-h', POSTGRES_FOLDERS.socket];

/**
 * A sidecar: it is up before the shard begins, and is told to stop when the shard has ended. Its probes have more time than what they
 * run, so that nothing is cut off in the middle; none is for liveness, which would kill a recovery.
 */
function postgresContainer(wanted: Wanted): Json {
  const { spec } = wanted.cluster;
  return {
    name: 'postgres',
    image: wanted.shape.images.postgres,
    imagePullPolicy: spec.images.pullPolicy,
    restartPolicy: 'Always',
    command: ['sh', POSTGRES_ENTRY],
    resources: postgresResources(wanted),
    // 1: it is there, and refuses for now (a recovery).
    startupProbe: {
      exec: { command: ['sh', '-c', `${isReadyCommand.join(' ')}; test $? -le 1`] },
      periodSeconds: 1,
      failureThreshold: 1_800,
      timeoutSeconds: 5,
    },
    readinessProbe: { exec: { command: isReadyCommand }, periodSeconds: 5, timeoutSeconds: 5 },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'data', mountPath: POSTGRES_FOLDERS.volume },
      { name: 'postgres-socket', mountPath: POSTGRES_FOLDERS.socket },
      { name: 'postgres-config', mountPath: POSTGRES_FOLDERS.config, readOnly: true },
    ],
  };
}

/** The operator writes the zone of the node on the pod, when that has a node: the shard must not start without it. */
function zoneContainer(wanted: Wanted): Json {
  const script = `trap 'exit 0' TERM; until [ -s ${ZONE_FILE} ]; do sleep 1 & wait $!; done`;
  return {
    name: 'zone',
    image: wanted.shape.images.ringleader,
    imagePullPolicy: wanted.cluster.spec.images.pullPolicy,
    command: ['sh', '-c', script],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '32Mi' } },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: 'pod', mountPath: POD_FOLDER, readOnly: true }],
  };
}

function zoneFiles(): Mounted {
  const fieldRef = { fieldPath: `metadata.annotations['${ZONE_ANNOTATION}']` };
  return {
    volumes: [{ name: 'pod', downwardAPI: { items: [{ path: 'zone', fieldRef }] } }],
    mounts: [{ name: 'pod', mountPath: POD_FOLDER, readOnly: true }],
  };
}

export function shardObjects(wanted: Wanted): Manifest[] {
  const { cluster } = wanted;
  const { postgres, storage, resources, zoneTopologyKey: zoneKey } = cluster.spec.shards;
  const sizes = { memory: postgresResources(wanted).limits['memory'] ?? '', volume: storage.size };
  const files = postgresFiles(postgres, sizes);
  const name = componentName(cluster, 'shard');
  const nats = natsFiles(cluster, 'shard');
  const zone = zoneKey === undefined ? { volumes: [], mounts: [] } : zoneFiles();
  const container = serviceContainer(wanted, {
    service: 'shard',
    environment: [
      podIndex,
      variable('RINGLEADER_MEMBER', 'shard-$(POD_INDEX)'),
      variable('RINGLEADER_POSTGRES_URL', postgresUrl()),
      ...(zoneKey === undefined ? [] : [variable('RINGLEADER_ZONE_FILE', ZONE_FILE)]),
    ],
    resources: containerResources(resources, { cpu: '100m', memory: '512Mi' }),
    mounts: [{ name: 'postgres-socket', mountPath: POSTGRES_FOLDERS.socket }, ...zone.mounts, ...nats.mounts],
  });
  const pod = {
    component: 'shard',
    initContainers: [postgresContainer(wanted), ...(zoneKey === undefined ? [] : [zoneContainer(wanted)])],
    containers: [container],
    volumes: [
      { name: 'postgres-socket', emptyDir: {} },
      { name: 'postgres-config', configMap: { name } },
      ...zone.volumes,
      ...nats.volumes,
    ],
    // The socket's owner is who may use it, so the shard is the same user.
    userId: postgres.userId,
    files: filesHash(files),
    ...(zoneKey === undefined ? {} : { zoneKey }),
  } as const;
  return [
    owned(cluster, { apiVersion: 'v1', kind: 'ConfigMap', name, component: 'shard', body: { data: files } }),
    headlessService(wanted, 'shard', [METRICS_PORT]),
    disruptionBudget(wanted, 'shard'),
    statefulSet(wanted, 'shard', statefulSetSpec(wanted, pod, storage)),
  ];
}
