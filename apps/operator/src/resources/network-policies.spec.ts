/** The policies, read as a cluster's network would read them: who reaches whom. */
import { describe, expect, it } from '@jest/globals';
import { objectsOf, workloads } from '../../test/resources.fixtures.js';

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'NotIn' | 'Exists';
    readonly values?: readonly string[];
  }[];
}
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports: readonly { readonly port: number }[];
}
interface Policy {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}
interface Pod {
  readonly labels: Readonly<Record<string, string>>;
  /** Of its namespace; null: that of the cluster. */
  readonly namespace: Readonly<Record<string, string>> | null;
}

const matches = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Pod['labels']): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values = [] }) =>
    operator === 'Exists' ? key in labels : !values.includes(labels[key] ?? ''),
  );

function isPeer({ podSelector = {}, namespaceSelector }: Peer, { labels, namespace }: Pod): boolean {
  const inNamespace =
    namespaceSelector === undefined ? namespace === null : matches(namespaceSelector, namespace ?? {});
  return inNamespace && matches(podSelector, labels);
}

type Way = 'ingress' | 'egress';

/** Whether the policies of one side, `own`, let it speak with the other at a port. */
function lets(
  policies: readonly Policy[],
  [own, other]: readonly [Pod, Pod],
  port: number,
  way: Way,
): boolean {
  const type = way === 'ingress' ? 'Ingress' : 'Egress';
  const selected = policies.filter(
    ({ podSelector, policyTypes }) =>
      own.namespace === null && policyTypes.includes(type) && matches(podSelector, own.labels),
  );
  if (selected.length === 0) return true;
  return selected
    .flatMap((policy) => policy[way] ?? [])
    .some((rule) => {
      const peers = way === 'ingress' ? rule.from : rule.to;
      const isForPort = rule.ports.some((allowed) => allowed.port === port);
      return isForPort && (peers === undefined || peers.some((peer) => isPeer(peer, other)));
    });
}

/** With the first of its policies only, where a number is given. */
function world(spec: Record<string, unknown>, first?: number) {
  const objects = objectsOf(spec);
  const policies = objects
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((object) => object['spec'] as Policy)
    .slice(0, first);
  const pods: Record<string, Pod> = {
    stranger: { labels: {}, namespace: null },
    elsewhere: { labels: {}, namespace: { 'kubernetes.io/metadata.name': 'elsewhere' } },
    operator: { labels: {}, namespace: { 'kubernetes.io/metadata.name': 'ringleader-system' } },
    'operator of a chart': {
      labels: { 'app.kubernetes.io/name': 'ringleader', 'app.kubernetes.io/component': 'operator' },
      namespace: { 'kubernetes.io/metadata.name': 'elsewhere' },
    },
    monitoring: { labels: {}, namespace: { 'ringleader.io/monitoring': '' } },
  };
  for (const { template } of workloads(objects)) {
    const { labels } = template.metadata;
    pods[labels['app.kubernetes.io/component'] ?? ''] = { labels, namespace: null };
  }
  return (from: string, to: string, port: number): boolean => {
    const [source, target] = [pods[from], pods[to]];
    if (source === undefined || target === undefined) throw new Error(`there is no ${from}, or no ${to}`);
    const leaves = lets(policies, [source, target], port, 'egress');
    return leaves && lets(policies, [target, source], port, 'ingress');
  };
}

const SERVICES = ['coordinator', 'shard', 'failure-detector', 'gateway'];

describe('the network of a cluster', () => {
  const reaches = world({});

  it.each([
    ...[...SERVICES, 'operator', 'operator of a chart'].map((service) => [service, 'nats', 4_222] as const),
    ['nats', 'nats', 6_222],
    ['stranger', 'gateway', 8_443],
    ['elsewhere', 'gateway', 8_443],
    ['monitoring', 'shard', 9_090],
    ['monitoring', 'gateway', 9_090],
    ['shard', 'elsewhere', 53],
    ['shard', 'elsewhere', 5_353],
  ] as const)('lets %s reach %s at %i', (from, to, port) => expect(reaches(from, to, port)).toBe(true));

  it.each([
    ...SERVICES.map((service) => [service, 'nats', 6_222] as const),
    ...['stranger', 'elsewhere', 'monitoring'].map((from) => [from, 'nats', 4_222] as const),
    ['operator', 'nats', 6_222],
    ['stranger', 'nats', 6_222],
    ['stranger', 'shard', 9_090],
    ['elsewhere', 'coordinator', 9_090],
    ['gateway', 'shard', 9_090],
    ['gateway', 'elsewhere', 443],
    ['shard', 'elsewhere', 443],
    ['stranger', 'gateway', 8_080],
  ] as const)('does not let %s reach %s at %i', (from, to, port) =>
    expect(reaches(from, to, port)).toBe(false),
  );

  it('is never cut off from what it lives by while its policies are made', () => {
    for (const made of [0, 1, 2, 3, 4, 5, 6]) {
      const meanwhile = world({}, made);
      for (const service of SERVICES) expect([made, meanwhile(service, 'nats', 4_222)]).toEqual([made, true]);
      expect([made, meanwhile('nats', 'nats', 6_222)]).toEqual([made, true]);
      expect([made, meanwhile('elsewhere', 'gateway', 8_443)]).toEqual([made, true]);
    }
  });

  it('lets gateways ask the API server only where they are to', () => {
    const asks = world({ security: { gateway: { serviceAccountTokens: true } } });
    expect(asks('gateway', 'elsewhere', 6_443)).toBe(true);
    expect(asks('shard', 'elsewhere', 6_443)).toBe(false);
  });

  it('leads to servers of NATS that are elsewhere', () => {
    const servers = ['tls://a.example.com:14222', 'tls://b.example.com'];
    const outside = world({ nats: { external: { servers, credentialsSecret: 'keys' } } });
    expect(outside('shard', 'elsewhere', 14_222)).toBe(true);
    expect(outside('shard', 'elsewhere', 4_222)).toBe(true);
    expect(outside('shard', 'elsewhere', 443)).toBe(false);
  });

  it('is open where its owner says so', () => {
    const open = world({ security: { networkPolicies: false } });
    expect(open('stranger', 'shard', 9_090)).toBe(true);
  });
});
