/**
 * Everything that a cluster consists of, as it is to be: pure, from the custom resource and the shape that the planner has decided
 * on. Secrets are not here: they are made once (secrets.ts).
 */
import type { RingleaderCluster } from '@ringleader/contracts';
import { COMPONENTS, type Manifest, type Shape } from '../planning/types.js';
import { clusterLabels, componentName, owned, secretNames } from './names.js';
import { natsCertificateHosts, natsObjects } from './nats.js';
import { networkPolicies } from './network-policies.js';
import { managedNats, type Wanted } from './pods.js';
import { shardObjects } from './shards.js';
import { coordinatorObjects } from './stateful-services.js';
import { failureDetectorObjects, gatewayHosts, gatewayObjects } from './stateless-services.js';

export interface OwnedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** As in RBAC. */
  readonly resource: string;
  /** Of those that not every API server has. */
  readonly isOptional?: true;
}

/** What the operator applies, watches, and needs rights for. */
export const OWNED_KINDS: readonly OwnedKind[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', resource: 'serviceaccounts' },
  { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' },
  { apiVersion: 'v1', kind: 'Secret', resource: 'secrets' },
  { apiVersion: 'v1', kind: 'Service', resource: 'services' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' },
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', resource: 'poddisruptionbudgets' },
  {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    resource: 'servicemonitors',
    isOptional: true,
  },
  { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', resource: 'certificates', isOptional: true },
];

/** In the order of an update: what others build on comes first. */
export function ownedObjects(cluster: RingleaderCluster, shape: Shape): Manifest[] {
  const wanted = { cluster, shape };
  return [
    ...serviceAccounts(wanted),
    ...networkPolicies(wanted),
    ...certificates(wanted),
    ...natsObjects(wanted),
    ...coordinatorObjects(wanted),
    ...failureDetectorObjects(wanted),
    ...shardObjects(wanted),
    ...gatewayObjects(wanted),
    ...serviceMonitors(wanted),
  ];
}

/** One for each component, without a token: nothing but the option of ServiceAccounts' tokens asks the API server. */
function serviceAccounts({ cluster }: Wanted): Manifest[] {
  const hasNats = managedNats(cluster) !== null;
  return COMPONENTS.filter((component) => component !== 'nats' || hasNats).map((component) =>
    owned(cluster, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      name: componentName(cluster, component),
      component,
      body: { automountServiceAccountToken: false },
    }),
  );
}

/** Whether cert-manager issues, and not the operator. */
export function usesCertManager(cluster: RingleaderCluster, optionalKinds: readonly string[]): boolean {
  return cluster.spec.security.certificateIssuer !== undefined && optionalKinds.includes('Certificate');
}

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':');

function certificates({ cluster, shape }: Wanted): Manifest[] {
  const { certificateIssuer: issuerRef, gateway } = cluster.spec.security;
  if (!usesCertManager(cluster, shape.optionalKinds)) return [];
  const certificate = (name: string, hosts: readonly string[], usages: readonly string[]): Manifest =>
    owned(cluster, {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      name,
      body: {
        spec: {
          secretName: name,
          issuerRef,
          dnsNames: hosts.filter((host) => !isAddress(host)),
          ...(hosts.some(isAddress) ? { ipAddresses: hosts.filter(isAddress) } : {}),
          usages: ['digital signature', ...usages],
          privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
        },
      },
    });
  const isNatsManaged = managedNats(cluster) !== null;
  const isGatewayOurs = gateway.tls.enabled && gateway.tls.secretName === undefined;
  return [
    ...(isNatsManaged
      ? [
          certificate(secretNames.natsTls(cluster), natsCertificateHosts(cluster), [
            'server auth',
            'client auth',
          ]),
        ]
      : []),
    ...(isGatewayOurs
      ? [certificate(secretNames.gatewayTls(cluster), gatewayHosts(cluster), ['server auth'])]
      : []),
  ];
}

function serviceMonitors({ cluster, shape }: Wanted): Manifest[] {
  if (!shape.optionalKinds.includes('ServiceMonitor')) return [];
  const monitor = owned(cluster, {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    name: cluster.metadata.name,
    body: {
      spec: {
        selector: { matchLabels: clusterLabels(cluster) },
        targetLabels: ['app.kubernetes.io/instance', 'app.kubernetes.io/component'],
        endpoints: [{ port: 'metrics', interval: '15s' }],
      },
    },
  });
  return [monitor];
}
