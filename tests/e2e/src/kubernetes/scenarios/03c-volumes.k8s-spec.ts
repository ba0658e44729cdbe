/**
 * Volumes that are to grow: where their storage class allows it, what is asked of them grows, and the StatefulSet is made anew around
 * its pods; where it does not, the cluster says so, and all else goes on. (Whether a disk itself grows is the driver's business.)
 */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { KubernetesApi, type KubeObject } from '../harness/api.js';
import { answerTo, type ClusterUnderTest, type Component } from '../harness/cluster-under-test.js';
import { environment } from '../harness/environment.js';
import { onKubernetes } from '../harness/given.js';
import { scenario } from '../harness/scenario.js';

const GROW_MS = 120_000;
const ROLL_MS = 300_000;
const CLASS = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' } as const;
const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';
const [ABLE, FIXED] = ['ringleader-e2e-able', 'ringleader-e2e-fixed'] as const;

interface StorageClass extends KubeObject {
  readonly provisioner: string;
  readonly parameters?: Readonly<Record<string, string>>;
}
interface Claim extends KubeObject {
  readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
}

/** Two that make volumes as the default one does, whatever that allows. */
async function makeClasses(api: KubernetesApi): Promise<void> {
  const classes = await api.list<StorageClass>(CLASS, null);
  const standard = classes.find(({ metadata }) => metadata.annotations?.[IS_DEFAULT] === 'true');
  if (standard === undefined) throw new Error('there is no default storage class');
  const { provisioner, parameters } = standard;
  for (const name of [ABLE, FIXED])
    await api.apply({
      ...{ ...CLASS, metadata: { name }, provisioner, volumeBindingMode: 'WaitForFirstConsumer' },
      ...(parameters !== undefined && { parameters }),
      allowVolumeExpansion: name === ABLE,
    });
}

/** As small as a cluster can be: this is about volumes. */
const SPEC = {
  replicationFactor: 1,
  coordinators: { replicas: 1, storage: { size: '1Gi', storageClassName: FIXED } },
  shards: { replicas: 1, storage: { size: '1Gi', storageClassName: ABLE } },
  gateways: { replicas: 1 },
  failureDetectors: { replicas: 1 },
  nats: { managed: { replicas: 1 } },
};

async function sizes(cluster: ClusterUnderTest, component: Component): Promise<readonly string[]> {
  const claims = await cluster.api.list<Claim>(
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
    cluster.namespace,
    `app.kubernetes.io/component=${component}`,
  );
  return claims.map(({ spec }) => spec.resources.requests.storage);
}

async function uidsOf(cluster: ClusterUnderTest): Promise<Readonly<Record<string, string | undefined>>> {
  const set = { apiVersion: 'apps/v1', kind: 'StatefulSet' };
  const metadata = { name: `${cluster.name}-shard`, namespace: cluster.namespace };
  const [pod] = await cluster.pods('shard');
  return { set: (await cluster.api.get({ ...set, metadata }))?.metadata.uid, pod: pod?.metadata.uid };
}

async function whyDegraded(cluster: ClusterUnderTest): Promise<string> {
  const { status } = await cluster.read();
  const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
  return degraded?.status === 'True' ? `${degraded.reason}: ${degraded.message}` : '';
}

onKubernetes('volumes', { namespace: `${environment.namespace}-volumes`, isAbsent: true }, (of) => {
  beforeAll(() => makeClasses(KubernetesApi.fromEnvironment()));
  afterAll(async () => {
    const api = KubernetesApi.fromEnvironment();
    for (const name of [ABLE, FIXED]) await api.delete({ ...CLASS, metadata: { name } });
  });

  scenario('grow where their class allows it', of, async ({ cluster, line }) => {
    await cluster.begin(SPEC);
    line.mark('settled');
    const before = await uidsOf(cluster);
    await cluster.patch({ shards: { storage: { size: '2Gi' } } });
    const hasGrown = async (): Promise<boolean> =>
      (await sizes(cluster, 'shard')).every((size) => size === '2Gi') &&
      ![before['set'], undefined].includes((await uidsOf(cluster))['set']);
    await until('it has grown', hasGrown, { timeoutMs: GROW_MS, everyMs: 250 });
    expect((await uidsOf(cluster))['pod']).toBe(before['pod']);
    line.mark('grown, and the same pod');
    // PostgreSQL makes use of the larger volume: its settings are others, so its pod is rolled in its turn.
    await cluster.untilSettled(ROLL_MS);
    line.mark('settled');
    expect(await whyDegraded(cluster)).toBe('');
  });

  scenario('stay as they are where it does not, and all else goes on', of, async ({ cluster, line }) => {
    await cluster.patch({ coordinators: { storage: { size: '2Gi' } } });
    const isTold = async (): Promise<boolean> => /^VolumesCannotGrow: /.test(await whyDegraded(cluster));
    await until('the status says that they cannot grow', isTold, { timeoutMs: GROW_MS, everyMs: 250 });
    line.mark(await whyDegraded(cluster));
    expect(await sizes(cluster, 'coordinator')).toEqual(['1Gi']);
    await cluster.scale(2);
    const isThere = async (): Promise<boolean> =>
      (await cluster.read()).status?.shards?.readyReplicas === 2 &&
      JSON.stringify(await sizes(cluster, 'shard')) === JSON.stringify(['2Gi', '2Gi']);
    await until('another shard is ready', isThere, { timeoutMs: GROW_MS, everyMs: 250 });
    line.mark('another shard is ready');
    const client = await cluster.client(1);
    const written = await answerTo('a put', () => client.put('written/on/a/small/volume', 'yes'));
    expect(written).toMatchObject({ code: '' });
    await client.close();
    // A class may be changed.
    await cluster.api.patch({ ...CLASS, metadata: { name: FIXED } }, { allowVolumeExpansion: true });
    const hasGrown = async (): Promise<boolean> =>
      (await sizes(cluster, 'coordinator'))[0] === '2Gi' && (await cluster.isSettled());
    await until('it has grown', hasGrown, { timeoutMs: GROW_MS, everyMs: 250 });
    line.mark('grown, since its class allows it now');
  });
});
