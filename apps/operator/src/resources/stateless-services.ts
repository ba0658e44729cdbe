/** Gateways and failure detectors: Deployments, which roll by themselves. */
import type { RingleaderCluster } from '@ringleader/contracts';
import type { Manifest } from '../planning/types.js';
import { containerResources } from './memory.js';
import { componentLabels, componentName, owned, secretNames, serviceHosts } from './names.js';
import {
  deploymentSpec,
  GATEWAY_PAUSE_MS,
  natsFiles,
  PORTS,
  serviceContainer,
  variable,
  type EnvironmentVariable,
  type Mounted,
  type PodParts,
  type Wanted,
} from './pods.js';
import { disruptionBudget, headlessService, METRICS_PORT } from './stateful-services.js';

function deployment(wanted: Wanted, pod: PodParts): Manifest {
  const name = componentName(wanted.cluster, pod.component);
  const body = { spec: deploymentSpec(wanted, pod) };
  return owned(wanted.cluster, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name,
    component: pod.component,
    body,
  });
}

export function failureDetectorObjects(wanted: Wanted): Manifest[] {
  const { cluster } = wanted;
  const nats = natsFiles(cluster, 'failure-detector');
  const container = serviceContainer(wanted, {
    service: 'failure-detector',
    environment: [],
    resources: containerResources(cluster.spec.failureDetectors.resources, { cpu: '50m', memory: '256Mi' }),
    mounts: nats.mounts,
  });
  return [
    headlessService(wanted, 'failure-detector', [METRICS_PORT]),
    disruptionBudget(wanted, 'failure-detector'),
    deployment(wanted, { component: 'failure-detector', containers: [container], volumes: nats.volumes }),
  ];
}

const GATEWAY_FOLDERS = { tls: '/etc/ringleader/tls', rootToken: '/etc/ringleader/root-token' } as const;

/** Names and addresses by which clients call the gateways: what their certificate has. */
export function gatewayHosts(cluster: RingleaderCluster): string[] {
  return [
    ...serviceHosts(cluster, cluster.metadata.name),
    'localhost',
    '127.0.0.1',
    ...cluster.spec.gateways.hosts,
  ];
}

/**
 * Which names are answered for guards those whom nothing else guards: with a token, which no page of somebody else's has, gateways
 * answer by any name and address (of nodes, of a load balancer) under which they are reached.
 */
function access({ cluster }: Wanted): EnvironmentVariable[] {
  const { authentication, serviceAccountTokens } = cluster.spec.security.gateway;
  if (!authentication) {
    return [
      variable('RINGLEADER_AUTHENTICATION', 'none'),
      variable('RINGLEADER_INSECURE', 'yes'),
      variable('RINGLEADER_HTTP_HOSTS', gatewayHosts(cluster).join(',')),
    ];
  }
  return [
    variable('RINGLEADER_AUTHENTICATION', 'tokens'),
    variable('RINGLEADER_ROOT_TOKEN_FILE', `${GATEWAY_FOLDERS.rootToken}/token`),
    // There while one takes the place of another.
    variable(
      'RINGLEADER_ROOT_TOKEN_ALSO_FILES',
      ['next', 'previous'].map((file) => `${GATEWAY_FOLDERS.rootToken}/${file}`).join(','),
    ),
    ...(serviceAccountTokens ? [variable('RINGLEADER_TOKEN_REVIEW', 'yes')] : []),
    variable('RINGLEADER_HTTP_HOSTS', '*'),
  ];
}

function tls({ cluster }: Wanted): EnvironmentVariable[] {
  if (!cluster.spec.security.gateway.tls.enabled)
    return [variable('RINGLEADER_HTTP_PORT', String(PORTS.http))];
  return [
    variable('RINGLEADER_HTTP_PORT', String(PORTS.https)),
    variable('RINGLEADER_HTTP_TLS_CERT_FILE', `${GATEWAY_FOLDERS.tls}/tls.crt`),
    variable('RINGLEADER_HTTP_TLS_KEY_FILE', `${GATEWAY_FOLDERS.tls}/tls.key`),
  ];
}

function gatewayFiles({ cluster }: Wanted): Mounted {
  const { tls: wantedTls, authentication } = cluster.spec.security.gateway;
  const names = {
    ...(wantedTls.enabled ? { tls: wantedTls.secretName ?? secretNames.gatewayTls(cluster) } : {}),
    ...(authentication ? { rootToken: secretNames.rootToken(cluster) } : {}),
  };
  const volumeNames = { tls: 'tls', rootToken: 'root-token' } as const;
  const files = Object.entries(names) as [keyof typeof volumeNames, string][];
  return {
    volumes: files.map(([what, secretName]) => ({
      name: volumeNames[what],
      secret: { secretName, defaultMode: 0o440 },
    })),
    mounts: files.map(([what]) => ({
      name: volumeNames[what],
      mountPath: GATEWAY_FOLDERS[what],
      readOnly: true,
    })),
  };
}

/** What clients call. */
function usersService({ cluster }: Wanted): Manifest {
  const { tls: wantedTls } = cluster.spec.security.gateway;
  const { type, annotations, nodePort } = cluster.spec.gateways.service;
  const [name, port] = wantedTls.enabled ? ['https', 443] : ['http', 80];
  return owned(cluster, {
    apiVersion: 'v1',
    kind: 'Service',
    name: cluster.metadata.name,
    component: 'gateway',
    annotations,
    body: {
      spec: {
        type,
        selector: componentLabels(cluster, 'gateway'),
        ports: [
          {
            name,
            port,
            targetPort: name,
            protocol: 'TCP',
            ...(nodePort === undefined || type === 'ClusterIP' ? {} : { nodePort }),
          },
        ],
      },
    },
  });
}

export function gatewayObjects(wanted: Wanted): Manifest[] {
  const { cluster } = wanted;
  const { gateways, security } = cluster.spec;
  const [nats, files] = [natsFiles(cluster, 'gateway'), gatewayFiles(wanted)];
  const { enabled } = security.gateway.tls;
  const container = serviceContainer(wanted, {
    service: 'gateway',
    environment: [
      variable('RINGLEADER_HTTP_HOST', '::'),
      ...tls(wanted),
      ...access(wanted),
      variable('RINGLEADER_BALANCER', gateways.balancing),
      variable('RINGLEADER_DRAIN_PAUSE_MS', String(GATEWAY_PAUSE_MS)),
    ],
    resources: containerResources(gateways.resources, { cpu: '100m', memory: '512Mi' }),
    mounts: [...files.mounts, ...nats.mounts],
    ports: [
      enabled ? { name: 'https', containerPort: PORTS.https } : { name: 'http', containerPort: PORTS.http },
    ],
  });
  return [
    usersService(wanted),
    headlessService(wanted, 'gateway', [METRICS_PORT]),
    disruptionBudget(wanted, 'gateway'),
    deployment(wanted, {
      component: 'gateway',
      containers: [container],
      volumes: [...files.volumes, ...nats.volumes],
      asksApiServer: security.gateway.authentication && security.gateway.serviceAccountTokens,
    }),
  ];
}
