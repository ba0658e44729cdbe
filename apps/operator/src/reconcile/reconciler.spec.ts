import { describe, expect, it } from '@jest/globals';
import { Registry, createLogger } from '@ringleader/observability';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import type { Watches } from '../kubernetes/watches.js';
import { OperatorMetrics } from '../operator-metrics.js';
import type { CredentialsKeeper } from './credentials.js';
import { DataPlanes } from './data-planes.js';
import { Reconciler, type ReconcilerParts } from './reconciler.js';

const logger = createLogger({ level: 'silent', service: 'operator', member: 'operator-1' });
const cluster: KubeObject = {
  metadata: {
    ...{ name: 'demo', namespace: 'space', uid: 'u', generation: 1, resourceVersion: '1' },
    annotations: { 'ringleader.io/paused': 'yes' },
  },
  spec: { shards: { replicas: 3 } },
};

/** What this one tells of clusters, by its registry. */
function reconcilerOf(
  registry: Registry,
  live: () => KubeObject | undefined,
  expiresAtMs: () => Record<string, number>,
): Reconciler {
  const keep = () => Promise.resolve({ access: null, hashes: {}, expiresAtMs: expiresAtMs() });
  return new Reconciler({
    logger,
    metrics: new OperatorMetrics(registry),
    planes: new DataPlanes('operator-1', logger, () => undefined),
    api: {
      find: () => Promise.resolve(cluster),
      merge: () => Promise.resolve(cluster),
    } as unknown as KubeApi,
    watches: {
      cluster: live,
      ofCluster: () => [],
      owned: () => [],
      note: () => undefined,
      optionalKinds: [],
    } as unknown as Watches,
    credentialsReader: { keep } as unknown as CredentialsKeeper,
    wanted: () => [],
    operatorImages: () => ({ ringleader: 'r', postgres: 'p', nats: 'n' }),
  } as unknown as ReconcilerParts);
}

describe('a look at a cluster', () => {
  it('tells when certificates end, and no more of those that nobody shows any more', async () => {
    const registry = new Registry();
    let expiresAtMs: Record<string, number> = { 'demo-gateway-tls': 1_000, 'demo-nats-tls': 2_000 };
    const reconciler = reconcilerOf(
      registry,
      () => cluster,
      () => expiresAtMs,
    );
    const told = async (): Promise<string[]> => {
      await reconciler.reconcile('space/demo');
      return [...(await registry.metrics()).matchAll(/expiry_seconds\{.*secret="([^"]+)"/g)].map(
        ([, secret = '']) => secret,
      );
    };
    expect(await told()).toEqual(['demo-gateway-tls', 'demo-nats-tls']);
    // From now on the gateways show one of its owner's.
    expiresAtMs = { 'own-tls': 3_000, 'demo-nats-tls': 2_000 };
    expect((await told()).sort()).toEqual(['demo-nats-tls', 'own-tls']);
  });

  it('tells how many gateways there are to be, until the cluster is on its way out', async () => {
    const registry = new Registry();
    let live: KubeObject | undefined = cluster;
    const reconciler = reconcilerOf(
      registry,
      () => live,
      () => ({}),
    );
    const told = async (): Promise<string[]> => {
      await reconciler.reconcile('space/demo');
      return (await registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('ringleader_operator_gateways_wanted{'));
    };
    const labels = 'namespace="space",app_kubernetes_io_instance="demo"';
    expect(await told()).toEqual([`ringleader_operator_gateways_wanted{${labels}} 2`]);
    live = { ...cluster, spec: { shards: { replicas: 3 }, gateways: { replicas: 0 } } };
    expect(await told()).toEqual([`ringleader_operator_gateways_wanted{${labels}} 0`]);
    live = { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: '2026-11-28T00:00:00Z' } };
    expect(await told()).toEqual([]);
    live = cluster;
    expect(await told()).toHaveLength(1);
    live = undefined;
    expect(await told()).toEqual([]);
  });
});
