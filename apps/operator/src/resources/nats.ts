/** Servers of NATS: no volumes, TLS for everybody, and a certificate and a password among themselves. */
import {
  natsServerConfig,
  type NatsCredential,
  type RingleaderCluster,
  type Service,
} from '@ringleader/contracts';
import type { Manifest } from '../planning/types.js';
import { containerResources } from './memory.js';
import { podHosts, secretNames } from './names.js';
import { CONTAINER_SECURITY, field, managedNats, PORTS, statefulSetSpec, type Wanted } from './pods.js';
import { disruptionBudget, filesHash, headlessService, statefulSet } from './stateful-services.js';

const FOLDERS = { config: '/etc/nats/config', tls: '/etc/nats/tls', run: '/run/nats' } as const;
const PID_FILE = `${FOLDERS.run}/nats.pid`;
const ROUTES_USER = 'routes';

export interface NatsSecrets {
  /** Of the services' seeds: of each all that are taken now. */
  readonly publicKeys: Readonly<Record<Service, readonly [string, ...string[]]>>;
  readonly routes: { readonly password: string; readonly isPasswordOptional: boolean };
}

/** The text of `nats.conf`, the same for all servers. */
export function natsConf(cluster: RingleaderCluster, { publicKeys, routes }: NatsSecrets): string {
  const tls = { certFile: `${FOLDERS.tls}/tls.crt`, keyFile: `${FOLDERS.tls}/tls.key` };
  const keys = Object.entries(publicKeys).map(
    ([service, [publicKey, ...also]]) => [service, { kind: 'nkey', publicKey, also }] as const,
  );
  const users = Object.fromEntries(keys) as unknown as Record<Service, NatsCredential>;
  const hosts = podHosts(cluster, 'nats', managedNats(cluster)?.replicas ?? 0);
  return natsServerConfig({
    serverName: { variable: 'POD_NAME' },
    host: '0.0.0.0',
    port: PORTS.nats,
    monitoringPort: PORTS.natsMonitoring,
    lameDuck: true,
    tls,
    access: { cluster: cluster.metadata.name, users },
    routes: {
      name: cluster.metadata.name,
      host: '0.0.0.0',
      port: PORTS.natsRoutes,
      servers: hosts.map((host) => `${host}:${PORTS.natsRoutes}`),
      user: ROUTES_USER,
      ...routes,
      // Clients know the servers by their names, which certificates have.
      advertise: false,
      tls: { ...tls, caFile: `${FOLDERS.tls}/ca.crt` },
    },
  });
}

/** Names in the servers' certificate; each is client and server of the others. */
export function natsCertificateHosts(cluster: RingleaderCluster): string[] {
  return podHosts(cluster, 'nats', managedNats(cluster)?.replicas ?? 0);
}

/** They read their files when they start. */
function natsContainer(wanted: Wanted): Readonly<Record<string, unknown>> {
  const { cluster, shape } = wanted;
  const managed = managedNats(cluster);
  const healthz = { httpGet: { path: '/healthz', port: 'monitoring' } };
  return {
    name: 'nats',
    image: shape.images.nats,
    imagePullPolicy: cluster.spec.images.pullPolicy,
    command: ['nats-server', '-c', `${FOLDERS.config}/nats.conf`, '-P', PID_FILE],
    env: [field('POD_NAME', 'metadata.name')],
    ports: [
      { name: 'clients', containerPort: PORTS.nats },
      { name: 'routes', containerPort: PORTS.natsRoutes },
      { name: 'monitoring', containerPort: PORTS.natsMonitoring },
    ],
    resources: containerResources(managed?.resources, { cpu: '100m', memory: '256Mi' }),
    startupProbe: { ...healthz, periodSeconds: 1, failureThreshold: 1_800, timeoutSeconds: 3 },
    livenessProbe: { ...healthz, periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 },
    readinessProbe: { ...healthz, periodSeconds: 2, failureThreshold: 2, timeoutSeconds: 3 },
    // Clients are asked to leave, some at a time; TERM, which comes at once, is not heard meanwhile.
    lifecycle: { preStop: { exec: { command: ['nats-server', `-sl=ldm=${PID_FILE}`] } } },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'run', mountPath: FOLDERS.run },
      { name: 'config', mountPath: FOLDERS.config, readOnly: true },
      { name: 'tls', mountPath: FOLDERS.tls, readOnly: true },
    ],
  };
}

/** Of what servers read when they start. */
export function natsFilesHash(
  cluster: RingleaderCluster,
  secretHashes: Readonly<Record<string, string>>,
): string {
  const names = [secretNames.natsConfig(cluster), secretNames.natsTls(cluster)];
  return filesHash(Object.fromEntries(names.map((name) => [name, secretHashes[name] ?? ''])));
}

/** None where the cluster uses servers that are there already. */
export function natsObjects(wanted: Wanted): Manifest[] {
  const { cluster, shape } = wanted;
  if (managedNats(cluster) === null) return [];
  const secret = (name: string, secretName: string) => ({ name, secret: { secretName, defaultMode: 0o440 } });
  const pod = {
    component: 'nats',
    containers: [natsContainer(wanted)],
    volumes: [
      { name: 'run', emptyDir: { sizeLimit: '1Mi' } },
      secret('config', secretNames.natsConfig(cluster)),
      secret('tls', secretNames.natsTls(cluster)),
    ],
    files: natsFilesHash(cluster, shape.secretHashes),
  } as const;
  return [
    headlessService(wanted, 'nats', [
      { name: 'clients', port: PORTS.nats, targetPort: 'clients' },
      { name: 'routes', port: PORTS.natsRoutes, targetPort: 'routes' },
    ]),
    disruptionBudget(wanted, 'nats'),
    statefulSet(wanted, 'nats', statefulSetSpec(wanted, pod, null)),
  ];
}
