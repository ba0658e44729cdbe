/** What a RingleaderCluster may not be, and may not become: the API server refuses it, with a sentence. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLUSTER_API_VERSION, CLUSTER_KIND } from '@ringleader/contracts';
import { KubernetesApi } from '../harness/api.js';
import { environment } from '../harness/environment.js';
import { removeNamespace } from '../harness/given.js';
import { applyManifests } from '../harness/operator-installation.js';

const namespace = `${environment.namespace}-rules`;
const ref = (name: string) => ({
  apiVersion: CLUSTER_API_VERSION,
  kind: CLUSTER_KIND,
  metadata: { name, namespace, annotations: { 'ringleader.io/paused': 'true' } },
});
type Spec = Readonly<Record<string, unknown>>;
const START: Spec = {
  shards: { replicas: 4, storage: { size: '2Gi', storageClassName: 'standard' } },
  coordinators: { replicas: 3, storage: { size: '2Gi' } },
};

describe('the rules of a RingleaderCluster', () => {
  let api: KubernetesApi;
  beforeAll(async () => {
    api = KubernetesApi.fromEnvironment();
    await applyManifests(api);
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await api.apply({ ...ref('old'), spec: START });
  }, 300_000);
  afterAll(() => removeNamespace(api, namespace));

  const refused: readonly (readonly [string, Spec, RegExp])[] = [
    ['no shards', {}, /shards/],
    ['no number of shards', { shards: {} }, /replicas/],
    ['fewer shards than replicas', { shards: { replicas: 2 } }, /must not be below replicationFactor/],
    [
      'an even number of coordinators',
      { coordinators: { replicas: 2 }, shards: { replicas: 3 } },
      /1, 3 or 5/,
    ],
    ['partitions that are no power of two', { partitions: 100, shards: { replicas: 3 } }, /power of two/],
    ['a volume too small', { shards: { replicas: 3, storage: { size: '100Mi' } } }, /from 1Gi to 64Ti/],
    ['a size that is none', { shards: { replicas: 3, storage: { size: 'much' } } }, /from 1Gi to 64Ti/],
    ['two NATS servers', { shards: { replicas: 3 }, nats: { managed: { replicas: 2 } } }, /1 or 3/],
    [
      'NATS twice',
      {
        shards: { replicas: 3 },
        nats: { managed: {}, external: { servers: ['tls://n:4222'], credentialsSecret: 's' } },
      },
      /not both/,
    ],
    ['no durability', { shards: { replicas: 3, postgres: { settings: { fsync: 'off' } } } }, /fsync/],
  ];
  it.each(refused)('refuse %s', async (_what, spec, sentence) => {
    await expect(api.create({ ...ref('new'), spec })).rejects.toThrow(sentence);
  });

  const changes: readonly (readonly [string, object, RegExp])[] = [
    ['partitions', { partitions: 512 }, /cannot change/],
    ['the replication factor', { replicationFactor: 1 }, /cannot change/],
    ['a volume that shrinks', { shards: { storage: { size: '1Gi' } } }, /cannot shrink/],
    [
      'a storage class',
      { shards: { storage: { storageClassName: 'other' } } },
      /storageClassName cannot change/,
    ],
    ['a storage class taken away', { shards: { storage: { storageClassName: null } } }, /cannot change/],
    ['storage taken away', { shards: { storage: null } }, /cannot/],
    ['shards taken away', { shards: null }, /shards/],
    ['too few shards', { shards: { replicas: 2 } }, /must not be below replicationFactor/],
  ];
  it.each(changes)('refuse a change of %s', async (_what, spec, sentence) => {
    await expect(api.patch(ref('old'), { spec })).rejects.toThrow(sentence);
  });

  it('refuse a jump of the coordinators by four', async () => {
    await api.patch(ref('old'), { spec: { coordinators: { replicas: 5 } } });
    await expect(api.patch(ref('old'), { spec: { coordinators: { replicas: 1 } } })).rejects.toThrow(
      /by two/,
    );
  });

  it('refuse a scale below the replication factor', async () => {
    await expect(api.patch(ref('old'), { spec: { replicas: 2 } }, '/scale')).rejects.toThrow(
      /must not be below replicationFactor/,
    );
    await api.patch(ref('old'), { spec: { replicas: 6 } }, '/scale');
  });
});
