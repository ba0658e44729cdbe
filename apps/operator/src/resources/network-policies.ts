/** Who may reach whom: nobody, but for what the services need. */
import type { RingleaderCluster } from '@ringleader/contracts';
import type { Component, Manifest } from '../planning/types.js';
import { clusterLabels, componentLabels, OPERATOR_NAMESPACE, owned } from './names.js';
import { managedNats, PORTS, type Wanted } from './pods.js';

type Json = Readonly<Record<string, unknown>>;

/** Namespaces with this label, whatever the value, may read metrics; so may one that is called `monitoring`. */
export const MONITORING_LABEL = 'ringleader.io/monitoring';

const tcp = (port: number): Json => ({ protocol: 'TCP', port });

interface Rules {
  readonly ingress?: readonly Json[];
  readonly egress?: readonly Json[];
}

/** Denies what it does not let through, in each direction that it names. */
function policy(cluster: RingleaderCluster, suffix: string, pods: Json, rules: Rules): Manifest {
  const given = Object.entries(rules) as [keyof Rules, readonly Json[]][];
  return owned(cluster, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    name: `${cluster.metadata.name}-${suffix}`,
    body: {
      spec: {
        podSelector: pods,
        policyTypes: given.map(([way]) => (way === 'ingress' ? 'Ingress' : 'Egress')),
        // Empty ones too: what somebody else lets through is taken away again only from a list that is ours.
        ...rules,
      },
    },
  });
}

const servicePods = (cluster: RingleaderCluster): Json => ({
  matchLabels: clusterLabels(cluster),
  matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'NotIn', values: ['nats'] }],
});

const namespaceCalled = (name: string): Json => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

/** In its own namespace; the chart may have put it into another one, where it is known by its labels. */
const OPERATORS = [
  namespaceCalled(OPERATOR_NAMESPACE),
  {
    namespaceSelector: {},
    podSelector: {
      matchLabels: { 'app.kubernetes.io/name': 'ringleader', 'app.kubernetes.io/component': 'operator' },
    },
  },
];

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'nats:': 4_222, 'tls:': 4_222 };

/** Ports of servers that are elsewhere: their names may stand for any address. */
function externalPorts(servers: readonly string[]): number[] {
  const ports = servers
    .filter((server) => URL.canParse(server))
    .map((server) => new URL(server))
    .map(({ port, protocol }) => (port === '' ? (DEFAULT_PORTS[protocol] ?? PORTS.nats) : Number(port)));
  return [...new Set(ports)].sort((a, b) => a - b);
}

function towardsNats(cluster: RingleaderCluster): Manifest[] {
  const { external } = cluster.spec.nats;
  const services = servicePods(cluster);
  if (external !== undefined) {
    const ports = externalPorts(external.servers).map(tcp);
    return [policy(cluster, 'to-nats', services, { egress: [{ ports }] })];
  }
  if (managedNats(cluster) === null) return [];
  const servers = { matchLabels: componentLabels(cluster, 'nats') };
  return [
    policy(cluster, 'to-nats', services, {
      egress: [{ to: [{ podSelector: servers }], ports: [tcp(PORTS.nats)] }],
    }),
    policy(cluster, 'nats', servers, {
      ingress: [
        { from: [{ podSelector: services }, ...OPERATORS], ports: [tcp(PORTS.nats)] },
        { from: [{ podSelector: servers }], ports: [tcp(PORTS.natsRoutes)] },
      ],
      egress: [{ to: [{ podSelector: servers }], ports: [tcp(PORTS.natsRoutes)] }],
    }),
  ];
}

function towardsGateways(cluster: RingleaderCluster): Manifest[] {
  const gateways = { matchLabels: componentLabels(cluster, 'gateway' satisfies Component) };
  const { tls, authentication, serviceAccountTokens } = cluster.spec.security.gateway;
  const ingress = [{ ports: [tcp(tls.enabled ? PORTS.https : PORTS.http)] }];
  // The API server is behind its Service (443), and listens on another port (6443 as a rule) where that leads.
  const egress = [{ ports: [tcp(443), tcp(6_443)] }];
  const asksApiServer = authentication && serviceAccountTokens;
  return [policy(cluster, 'gateway', gateways, { ingress, ...(asksApiServer ? { egress } : {}) })];
}

export function networkPolicies({ cluster }: Wanted): Manifest[] {
  if (!cluster.spec.security.networkPolicies) return [];
  const all = { matchLabels: clusterLabels(cluster) };
  // Behind the Service, of OpenShift, names are served at another port, and that is what policies are held against.
  const dns = [{ ports: [53, 5_353].flatMap((port) => [tcp(port), { protocol: 'UDP', port }]) }];
  const monitoring = [
    { namespaceSelector: { matchExpressions: [{ key: MONITORING_LABEL, operator: 'Exists' }] } },
    namespaceCalled('monitoring'),
  ];
  // Each denies what none before it has let through: made in this order, they cut off nothing that a running cluster lives by.
  return [
    ...towardsNats(cluster),
    ...towardsGateways(cluster),
    policy(cluster, 'metrics', servicePods(cluster), {
      ingress: [{ from: monitoring, ports: [tcp(PORTS.metrics)] }],
    }),
    policy(cluster, 'dns', all, { egress: dns }),
    policy(cluster, 'default-deny', all, { ingress: [], egress: [] }),
  ];
}
