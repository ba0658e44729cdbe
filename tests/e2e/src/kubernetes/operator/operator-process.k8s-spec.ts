/**
 * The operator's processes against a real API server of their own: who leads, what is written and what is not, and what they do
 * when the server is gone for a while. No pod runs for this.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until, workspaceRoot } from '@ringleader/testing-servers';
import { KubernetesApi, type KubeObject } from '../harness/api.js';
import { manifestsOf } from '../harness/operator-installation.js';
import { OwnApiServer, type Write } from './own-api-server.js';

const MAIN = join(workspaceRoot(), 'apps/operator/dist/main.js');
const NAMESPACE = 'operator-process';
const STOPPED_MS = 30_000;
const IDLE_MS = 40_000;
/** Longer than until the look behind what was done. */
const QUIET_MS = 6_000;
const IN_TIME = { timeoutMs: 60_000, everyMs: 250 };

const metadata = (name: string) => ({ name, namespace: NAMESPACE });
const LEASE = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: metadata('ringleader-operator'),
};
const CLUSTER = {
  apiVersion: 'ringleader.io/v1alpha1',
  kind: 'RingleaderCluster',
  metadata: metadata('demo'),
};
const GATEWAYS = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata('demo-gateway') };
/** The API server gives quantities back in other words: 50m and 256Mi. */
const REWORDED = { requests: { cpu: '0.05', memory: '262144Ki' }, limits: { memory: '262144Ki' } };

interface Workload extends KubeObject {
  readonly spec: { readonly replicas: number };
}

/** One process. */
class Operator {
  readonly process: ChildProcess;

  constructor(
    readonly name: string,
    env: NodeJS.ProcessEnv,
  ) {
    this.process = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async ends(): Promise<number | null> {
    if (this.process.exitCode === null) await once(this.process, 'exit');
    return this.process.exitCode;
  }
}

const withProcesses = (): void => {
  let server: OwnApiServer;
  let api: KubernetesApi;
  const operators: Operator[] = [];

  const start = (name: string): Operator => {
    const operator = new Operator(name, server.operatorEnvironment(name, NAMESPACE));
    operators.push(operator);
    return operator;
  };
  const holder = async (): Promise<string> => {
    const lease = await api.get<KubeObject & { spec: { holderIdentity?: string } }>(LEASE);
    return lease?.spec.holderIdentity ?? '';
  };
  const hasReplicas = async (replicas: number): Promise<boolean> =>
    (await api.get<Workload>(GATEWAYS))?.spec.replicas === replicas;
  const ask = (gateways: number): Promise<KubeObject> => {
    const failureDetectors = { resources: REWORDED };
    const spec = { shards: { replicas: 3 }, gateways: { replicas: gateways }, failureDetectors };
    return api.apply({ ...CLUSTER, spec });
  };
  /** By the operator, but for the lease. */
  const writes = async (): Promise<readonly Write[]> =>
    (await server.writes()).filter(({ user, resource }) => user === 'operator' && resource !== 'leases');

  beforeAll(async () => {
    server = await OwnApiServer.start();
    api = KubernetesApi.fromEnvironment();
    for (const manifest of await manifestsOf(join(workspaceRoot(), 'k8s/crds'))) await api.apply(manifest);
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    const isServed = (): Promise<boolean> =>
      ask(2).then(
        () => true,
        () => false,
      );
    await until('clusters can be asked for', isServed, IN_TIME);
  }, 120_000);

  afterAll(async () => {
    for (const { process: child } of operators) child.kill('SIGKILL');
    await server.close();
  });

  it('lead one after the other; one that was stopped for 30 s and goes on writes nothing, and ends', async () => {
    const first = start('first');
    await until('it has begun', () => hasReplicas(2), IN_TIME);
    start('second');
    expect(await holder()).toBe('first');
    first.process.kill('SIGSTOP');
    const stoppedAt = performance.now();
    await until('the second leads', async () => (await holder()) === 'second', IN_TIME);
    expect(performance.now() - stoppedAt).toBeLessThan(25_000);
    // Something that the first one would do, too, if it still believed to lead.
    await ask(1);
    await until('it was done', () => hasReplicas(1), IN_TIME);
    const isOver = (): Promise<boolean> => Promise.resolve(performance.now() - stoppedAt > STOPPED_MS);
    await until('the time is over', isOver, IN_TIME);
    const before = (await writes()).length;
    first.process.kill('SIGCONT');
    expect(await first.ends()).toBe(1);
    expect((await writes()).slice(before)).toEqual([]);
    expect(await holder()).toBe('second');
  }, 180_000);

  it('go on when the API server comes back: what is asked then is done within a minute', async () => {
    await server.crash();
    await server.serve();
    const askedAt = performance.now();
    await ask(3);
    await until('it was done', () => hasReplicas(3), IN_TIME);
    expect(performance.now() - askedAt).toBeLessThan(60_000);
    expect(await holder()).toBe('second');
  }, 180_000);

  it('correct what somebody has changed', async () => {
    await api.patch(GATEWAYS, { spec: { replicas: 4 } });
    await until('it is corrected', () => hasReplicas(3), IN_TIME);
  }, 120_000);

  it('write nothing while nothing differs but the words, also after another one has taken over', async () => {
    const second = operators.at(-1);
    let last = { count: -1, at: 0 };
    const isQuiet = async (): Promise<boolean> => {
      const { length: count } = await writes();
      if (count !== last.count) last = { count, at: performance.now() };
      return performance.now() - last.at > QUIET_MS;
    };
    await until('all is done', isQuiet, IN_TIME);
    second?.process.kill('SIGTERM');
    expect(await second?.ends()).toBe(0);
    expect(await holder()).toBe('');
    const before = (await writes()).length;
    start('third');
    const startedAt = performance.now();
    await until('the third leads', async () => (await holder()) === 'third', IN_TIME);
    const isOver = (): Promise<boolean> => Promise.resolve(performance.now() - startedAt > IDLE_MS);
    await until('the time is over', isOver, IN_TIME);
    expect((await writes()).slice(before)).toEqual([]);
  }, 120_000);

  it('let a cluster go when its namespace goes, or when it is deleted in order', async () => {
    const cluster = await api.get(CLUSTER);
    expect(cluster?.metadata).toMatchObject({ finalizers: ['ringleader.io/cluster'] });
    await api.delete(CLUSTER);
    await until('it is gone', async () => (await api.get(CLUSTER)) === null, IN_TIME);
    const token = { apiVersion: 'v1', kind: 'Secret', metadata: metadata('demo-root-token') };
    expect(await api.get(token)).not.toBeNull();
  }, 120_000);
};

describe('processes of the operator', () => {
  if (OwnApiServer.isThere) withProcesses();
  else
    it('are not tried here: there is no program with etcd and kube-apiserver (RINGLEADER_E2E_KUBE)', () =>
      undefined);
});
