import { describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { Registry, createLogger } from '@ringleader/observability';
import type { KubeApi, KubeObject, Place } from '../kubernetes/kube-api.js';
import type { Watches } from '../kubernetes/watches.js';
import { OperatorMetrics } from '../operator-metrics.js';
import { CLUSTER_FINALIZER } from '../planning/deletion.js';
import type { Action, DataPlaneSeen } from '../planning/types.js';
import type { CredentialsKeeper } from './credentials.js';
import { DataPlanes } from './data-planes.js';
import { NotNow } from './not-now.js';
import { Reconciler, type ReconcilerParts } from './reconciler.js';

const logger = createLogger({ level: 'silent', service: 'operator', member: 'operator-1' });
const cluster: KubeObject = {
  metadata: {
    ...{ name: 'demo', namespace: 'space', uid: 'u', generation: 1, resourceVersion: '1' },
    annotations: { 'ringleader.io/paused': 'yes' },
  },
  spec: { shards: { replicas: 3 } },
};

const looking = (live: () => KubeObject | undefined, parts: Partial<ReconcilerParts>): Reconciler =>
  new Reconciler({
    logger,
    metrics: new OperatorMetrics(new Registry()),
    planes: new DataPlanes('operator-1', logger, () => undefined),
    api: {
      find: () => Promise.resolve(live() ?? cluster),
      merge: () => Promise.resolve(live() ?? cluster),
    } as unknown as KubeApi,
    watches: {
      cluster: live,
      ofCluster: () => [],
      owned: () => [],
      note: () => undefined,
      optionalKinds: [],
    } as unknown as Watches,
    wanted: () => [],
    operatorImages: () => ({ ringleader: 'r', postgres: 'p', nats: 'n' }),
    ...parts,
  } as unknown as ReconcilerParts);

describe('a look at a cluster', () => {
  it('tells when certificates end, and no more of those that nobody shows any more', async () => {
    const registry = new Registry();
    let expiresAtMs: Record<string, number> = { 'demo-gateway-tls': 1_000, 'demo-nats-tls': 2_000 };
    const keep = () => Promise.resolve({ access: null, hashes: {}, expiresAtMs });
    const reconciler = looking(() => cluster, {
      metrics: new OperatorMetrics(registry),
      credentialsReader: { keep } as unknown as CredentialsKeeper,
    });
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
    const keep = () => Promise.resolve({ access: null, hashes: {}, expiresAtMs: {} });
    const reconciler = looking(() => live, {
      metrics: new OperatorMetrics(registry),
      credentialsReader: { keep } as unknown as CredentialsKeeper,
    });
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

describe('the end of a cluster that takes all along', () => {
  const issued = (name: string, uid: string): KubeObject => ({
    metadata: { ...cluster.metadata, name, uid, annotations: { 'cert-manager.io/certificate-name': name } },
  });
  const ownerReferences = [{ ...{ apiVersion: '', kind: 'Certificate', name: '' }, uid: 'somebody' }];

  /** What is deleted, where the API server has these. */
  async function deleted(
    deletionPolicy: 'Retain' | 'Delete',
    there: Readonly<Record<string, KubeObject>>,
  ): Promise<string[]> {
    const asked: string[] = [];
    const metadata = {
      ...{ ...cluster.metadata, annotations: {}, finalizers: [CLUSTER_FINALIZER] },
      deletionTimestamp: '2026-11-28T00:00:00Z',
    };
    const live: KubeObject = { metadata, spec: { shards: { replicas: 3 }, deletionPolicy } };
    const keep = () => Promise.resolve({ access: null, hashes: {}, expiresAtMs: {} });
    const find = ({ kind, name }: Place) => Promise.resolve(there[`${kind.kind}/${name}`] ?? null);
    const reconciler = looking(() => live, {
      api: {
        find: (place: Place) => (place.kind.kind === 'Namespace' ? Promise.resolve(cluster) : find(place)),
        merge: () => Promise.resolve(live),
      } as unknown as KubeApi,
      watches: {
        ...{ cluster: () => live, ofCluster: () => [], owned: () => [], note: () => undefined },
        ...{ optionalKinds: ['Certificate'], isAsApplied: () => true },
      } as unknown as Watches,
      credentialsReader: { keep } as unknown as CredentialsKeeper,
      planes: Object.assign(new DataPlanes('operator-1', logger, () => undefined), {
        observe: () => Promise.resolve(null),
      }),
      events: { tell: () => Promise.resolve() } as unknown as ReconcilerParts['events'],
      executor: {
        do: (action: Action) => {
          asked.push(action.kind === 'deleteObject' ? `${action.ref.name} ${action.uid}` : action.kind);
          return Promise.resolve(true);
        },
      } as unknown as ReconcilerParts['executor'],
    });
    await reconciler.reconcile('space/demo');
    return asked;
  }

  it('takes what cert-manager has issued for it, and nothing that is somebody else’s', async () => {
    const ours = { 'Secret/demo-nats-tls': issued('demo-nats-tls', '1') };
    expect(await deleted('Delete', ours)).toEqual(['demo-nats-tls 1']);
    expect(await deleted('Retain', ours)).toEqual(['removeFinalizer']);
    const foreign = { ...issued('demo-nats-tls', '2') };
    const certificate = { metadata: { ...foreign.metadata, ownerReferences } };
    const theirs = { 'Secret/demo-nats-tls': foreign, 'Certificate/demo-nats-tls': certificate };
    expect(await deleted('Delete', theirs)).toEqual(['removeFinalizer']);
    const byHand = { 'Secret/demo-nats-tls': issued('another', '3') };
    expect(await deleted('Delete', byHand)).toEqual(['removeFinalizer']);
  });
});

describe('what the coordinators refuse', () => {
  const member = (seat: number) => ({ id: `${seat}`, name: `coordinator-${seat}`, reachable: true });
  const shard = (ordinal: number) => ({
    ordinal,
    shard: `shard-${ordinal}`,
    state: 'active',
    verdict: 'alive',
  });
  const data = {
    clusterId: 'id',
    founded: null,
    coordinators: {
      ...{ leader: 'coordinator-1', term: 1, index: 1, revision: 1, joint: false, applicants: [] },
      members: [1, 2, 3].map((seat) => ({ ...member(seat), role: seat === 1 ? 'leader' : 'voter' })),
    },
    shards: [1, 2, 3, 4].map(shard),
    plan: { epoch: 1, paused: false, moves: [], movesTotal: 0, bytesTotal: 0, blocked: null },
    members: [],
    partitionsWithoutMajority: 0,
    unreadable: [],
  } as unknown as DataPlaneSeen;

  it('of their group keeps no shard from being drained', async () => {
    const asked: string[] = [];
    const refusal = new NotNow('removeCoordinator', 5_000, {
      cause: new OperationalError('QUORUM_AT_RISK', 'No answer from coordinator-2', {
        ...{ name: 'coordinator-3', silent: ['coordinator-2'] },
      }),
    });
    const live: KubeObject = {
      metadata: { ...cluster.metadata, annotations: {}, finalizers: [CLUSTER_FINALIZER] },
      spec: { coordinators: { replicas: 1 }, shards: { replicas: 3 }, deletionPolicy: 'Delete' },
    };
    const nothing = { access: null, hashes: {}, expiresAtMs: {} };
    const planes = new DataPlanes('operator-1', logger, () => undefined);
    const reconciler = looking(() => live, {
      planes: Object.assign(planes, { observe: () => Promise.resolve(data) }),
      credentials: { keep: () => Promise.resolve(nothing) } as unknown as CredentialsKeeper,
      events: { tell: () => Promise.resolve() } as unknown as ReconcilerParts['events'],
      executor: {
        do: ({ kind }: Action) => {
          asked.push(kind);
          return kind === 'removeCoordinator' ? Promise.reject(refusal) : Promise.resolve(true);
        },
      } as unknown as ReconcilerParts['executor'],
    });
    expect(await reconciler.reconcile('space/demo')).toBe(refusal.afterMs);
    expect(asked).toEqual(['removeCoordinator', 'drainShard']);
  });
});
