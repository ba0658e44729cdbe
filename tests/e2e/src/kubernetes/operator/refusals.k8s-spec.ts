/**
 * What an API server refuses, as a real one does, and what its owner has written wrongly: the operator says so, goes on with all else,
 * and lets go of what is deleted. No pod runs for this.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until, workspaceRoot } from '@ringleader/testing-servers';
import { KubernetesApi, type KubeObject } from '../harness/api.js';
import { manifestsOf } from '../harness/operator-installation.js';
import { OwnApiServer } from './own-api-server.js';

const MAIN = join(workspaceRoot(), 'apps/operator/dist/main.js');
const NAMESPACE = 'refusals';
const IN_TIME = { timeoutMs: 100_000, everyMs: 250 };
const metadata = (name: string) => ({ name, namespace: NAMESPACE });
const cluster = (name: string, spec: object = {}) => ({
  apiVersion: 'ringleader.io/v1alpha1',
  kind: 'RingleaderCluster',
  metadata: metadata(name),
  spec: { shards: { replicas: 3 }, ...spec },
});

const specOf = (object: KubeObject | null): unknown => (object as { spec?: unknown } | null)?.spec;

interface Owned extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly ownerReferences?: readonly object[] };
}

interface Told extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

const withOperator = (): void => {
  let server: OwnApiServer | null = null;
  let api: KubernetesApi;
  let operator: ChildProcess | null = null;

  const told = async (name: string): Promise<string> => {
    const { status } = (await api.get<Told>(cluster(name))) ?? {};
    const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
    return degraded?.status === 'True' ? `${degraded.reason}: ${degraded.message}` : '';
  };
  const saysThat = (name: string, pattern: RegExp): Promise<void> =>
    until(`${name} says ${pattern.source}`, async () => pattern.test(await told(name)), IN_TIME);
  const phase = async (name: string): Promise<string | undefined> =>
    (await api.get<Told>(cluster(name)))?.status?.phase;
  const isThere = (kind: string, name: string, apiVersion = 'apps/v1'): Promise<void> =>
    until(
      `${kind} ${name} is there`,
      async () => (await api.get({ apiVersion, kind, metadata: metadata(name) })) !== null,
      IN_TIME,
    );
  const goes = async (name: string): Promise<void> => {
    await api.delete(cluster(name));
    await until(`${name} is gone`, async () => (await api.get(cluster(name))) === null, IN_TIME);
  };

  const claim = (ordinal: number) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(`data-first-shard-${ordinal}`),
  });
  /** As their StatefulSet would, in the smallest size. */
  const makeClaim = (ordinal: number, spec: object): Promise<KubeObject> => {
    const labels = {
      'app.kubernetes.io/name': 'ringleader',
      'app.kubernetes.io/instance': 'first',
      'app.kubernetes.io/component': 'shard',
      'app.kubernetes.io/managed-by': 'ringleader-operator',
    };
    const resources = { requests: { storage: '1Gi' } };
    return api.apply({
      ...claim(ordinal),
      metadata: { ...claim(ordinal).metadata, labels },
      spec: { accessModes: ['ReadWriteOnce'], resources, ...spec },
    });
  };
  /** As the controller of volumes would. */
  const bind = async (ordinal: number): Promise<void> => {
    await api.patch(claim(ordinal), { spec: { volumeName: `volume-${ordinal}` } });
    await api.patch(claim(ordinal), { status: { phase: 'Bound' } }, '/status');
  };

  beforeAll(async () => {
    server = await OwnApiServer.start();
    api = KubernetesApi.fromEnvironment();
    for (const manifest of await manifestsOf(join(workspaceRoot(), 'k8s/crds'))) await api.apply(manifest);
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    const isServed = (): Promise<boolean> =>
      api.apply(cluster('first')).then(
        () => true,
        () => false,
      );
    await until('clusters can be asked for', isServed, IN_TIME);
    operator = spawn(process.execPath, [MAIN], {
      env: server.operatorEnvironment('operator', NAMESPACE),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }, 240_000);

  afterAll(async () => {
    operator?.kill('SIGKILL');
    await server?.close();
  });

  it('a port that no Service may have is told, and keeps nothing else from being made', async () => {
    await api.apply(
      cluster('first', { gateways: { replicas: 1, service: { type: 'NodePort', nodePort: 80 } } }),
    );
    await saysThat('first', /^Refused: .*first.*nodePort/);
    await isThere('Deployment', 'first-gateway');
    await isThere('StatefulSet', 'first-shard');
    await api.apply(cluster('first', { gateways: { replicas: 1 } }));
    await until('it is over', async () => !(await told('first')).startsWith('Refused'), IN_TIME);
  }, 240_000);

  it('pods that nobody may make are told with the reason that is in an event of their StatefulSet', async () => {
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: metadata('first-shard') };
    const { uid = '' } = (await api.get(set))?.metadata ?? {};
    // As its controller would.
    const lastTimestamp = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    await api.create({
      ...{ apiVersion: 'v1', kind: 'Event', metadata: metadata('first-shard.1') },
      involvedObject: { apiVersion: 'apps/v1', kind: 'StatefulSet', ...metadata('first-shard'), uid },
      ...{ type: 'Warning', reason: 'FailedCreate', count: 3, firstTimestamp: lastTimestamp, lastTimestamp },
      message: 'create Pod first-shard-1 in StatefulSet first-shard failed error: exceeded quota: few',
    });
    await saysThat('first', /3 pods of shard are missing \(create Pod first-shard-1 .*exceeded quota: few\)/);
  }, 240_000);

  it('a volume that may not grow, or is not there, is told, and keeps nothing else from being done', async () => {
    await makeClaim(1, {});
    await saysThat('first', /^StorageClassMissing: No storage class is named.*data-first-shard-1/);
    await bind(1);
    await saysThat('first', /^VolumesCannotGrow: Volumes of no storage class cannot.*data-first-shard-1/);
    await makeClaim(2, { storageClassName: 'slow' });
    await saysThat('first', /^StorageClassMissing: The storage class slow is not there.*data-first-shard-2/);
    await bind(2);
    await saysThat('first', /^VolumesCannotGrow: .*slow is not there any more.*data-first-shard-2/);
    const slow = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'slow' } };
    await api.apply({ ...slow, provisioner: 'example.com/slow', allowVolumeExpansion: false });
    await saysThat('first', /^VolumesCannotGrow: .*slow lets no volume grow.*data-first-shard-2/);
    await api.apply(cluster('first', { gateways: { replicas: 2 } }));
    const gateways = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata('first-gateway') };
    const areTwo = async (): Promise<boolean> =>
      (await api.get<KubeObject & { spec: { replicas: number } }>(gateways))?.spec.replicas === 2;
    await until('there are two gateways', areTwo, IN_TIME);
    await api.patch(slow, { allowVolumeExpansion: true });
    const hasGrown = async (): Promise<boolean> =>
      /"storage":"10Gi"/.test(JSON.stringify(specOf(await api.get(claim(2)))));
    await until('it has grown', hasGrown, IN_TIME);
    // Its class is there; only what is bound may grow.
    await makeClaim(3, { storageClassName: 'slow' });
    await until('it is waited for', async () => (await phase('first')) === 'WaitingForVolumes', IN_TIME);
    await goes('first');
    // It never got a volume: nothing is kept by keeping it. (What makes it go in the end does not run here.)
    const isKept = async (ordinal: number): Promise<boolean> =>
      (await api.get(claim(ordinal)))?.metadata.deletionTimestamp === undefined;
    expect(await Promise.all([1, 2, 3].map(isKept))).toEqual([true, true, false]);
  }, 240_000);

  it('a name that somebody else has is told, and what has it stays as it is', async () => {
    const theirs = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('theirs'),
      spec: { selector: { app: 'theirs' }, ports: [{ port: 80 }] },
    };
    await api.apply(theirs);
    const before = await api.get(theirs);
    await api.apply(cluster('theirs'));
    await saysThat('theirs', /^Refused: Service theirs was made by somebody else/);
    await isThere('Deployment', 'theirs-gateway');
    expect(await api.get(theirs)).toEqual(before);
    // Its own Service would be called as the servers' of the other.
    await api.apply(cluster('theirs-nats'));
    await saysThat('theirs-nats', /^Refused: Service theirs-nats belongs to RingleaderCluster theirs/);
  }, 240_000);

  it('what is added to a selector, or let through a policy, is taken away again', async () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: metadata('theirs-nats') };
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metadata('theirs-default-deny'),
    };
    await api.patch(service, { spec: { selector: { more: 'x' } } });
    await api.patch(policy, { spec: { ingress: [{}], podSelector: { matchLabels: { more: 'x' } } } });
    const isAgain = async (): Promise<boolean> =>
      !/"more"|"ingress":/.test(JSON.stringify([await api.get(service), await api.get(policy)].map(specOf)));
    await until('it is as it was', isAgain, IN_TIME);
    await goes('theirs-nats');
    await goes('theirs');
  }, 240_000);

  it('secrets that are kept go with nobody, though they were made to go with the cluster', async () => {
    const token = { apiVersion: 'v1', kind: 'Secret', metadata: metadata('kept-root-token') };
    const owners = async (): Promise<number> =>
      (await api.get<Owned>(token))?.metadata.ownerReferences?.length ?? 0;
    await api.apply(cluster('kept', { deletionPolicy: 'Delete' }));
    await until('it owns its secrets', async () => (await owners()) === 1, IN_TIME);
    await isThere('StatefulSet', 'kept-shard');
    await api.apply(cluster('kept', { deletionPolicy: 'Retain' }));
    await goes('kept');
    expect(await api.get(token)).not.toBeNull();
    expect(await owners()).toBe(0);
  }, 240_000);

  it('credentials that are not there are told, and keep nobody from deleting the cluster', async () => {
    const external = { servers: ['tls://nats.example.com:4222'], credentialsSecret: 'absent' };
    await api.apply(cluster('second', { nats: { external } }));
    await saysThat('second', /^CredentialsInvalid: .*absent/);
    await goes('second');
  }, 240_000);

  it('a specification that its definition allows no more is told, and keeps nobody from deleting the cluster', async () => {
    const [definition] = await manifestsOf(join(workspaceRoot(), 'k8s/crds'));
    const text = JSON.stringify(definition).replaceAll('"maximum":9', '"maximum":99');
    const older = JSON.parse(text) as KubeObject;
    await api.apply(older);
    const ask = (): Promise<boolean> =>
      api.apply(cluster('third', { failureDetectors: { replicas: 10 } })).then(
        () => true,
        () => false,
      );
    await until('the older one is served', ask, IN_TIME);
    await saysThat('third', /^SpecificationInvalid: .*failureDetectors.replicas/);
    await api.apply(definition as KubeObject);
    await goes('third');
  }, 240_000);
};

describe('the operator is refused', () => {
  if (OwnApiServer.isThere) withOperator();
  else
    it('nothing here: there is no program with etcd and kube-apiserver (RINGLEADER_E2E_KUBE)', () =>
      undefined);
});
