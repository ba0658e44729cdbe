/**
 * The operator's processes against a real API server, started here from the build: who leads, and that one who was stopped and
 * goes on writes nothing. The cluster that is asked for has images that do not exist: nothing of it needs to run for this.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { KubernetesApi, type KubeObject } from '../harness/api.js';

const MAIN = fileURLToPath(new URL('../../../../../apps/operator/dist/main.js', import.meta.url));
const NAMESPACE = 'ringleader-e2e-process';
const STOPPED_MS = 30_000;
const IN_TIME = { timeoutMs: 60_000, everyMs: 250 };
const LEASE = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'ringleader-operator', namespace: NAMESPACE },
};
const CLUSTER = {
  apiVersion: 'ringleader.io/v1alpha1',
  kind: 'RingleaderCluster',
  metadata: { name: 'demo', namespace: NAMESPACE },
};
const GATEWAYS = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'demo-gateway', namespace: NAMESPACE },
};
const DETECTORS = { ...GATEWAYS, metadata: { name: 'demo-failure-detector', namespace: NAMESPACE } };
const INSTALLED = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'ringleader-operator', namespace: 'ringleader-system' },
};

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly Record<string, unknown>[] } };
  };
}

/** One process, and what it says. */
class Operator {
  readonly process: ChildProcess;
  private readonly lines: string[] = [];

  constructor(readonly name: string) {
    const absent = 'registry.invalid/absent:1';
    this.process = spawn(process.execPath, [MAIN], {
      env: {
        ...process.env,
        POD_NAME: name,
        POD_NAMESPACE: NAMESPACE,
        RINGLEADER_WATCH_NAMESPACE: NAMESPACE,
        RINGLEADER_IMAGE: absent,
        RINGLEADER_POSTGRES_IMAGE: absent,
        RINGLEADER_NATS_IMAGE: absent,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => this.lines.push(text));
  }

  /** What it has done to the cluster so far. */
  deeds(): number {
    return this.lines.join('').split('"msg":"Done"').length - 1;
  }

  async ends(): Promise<number | null> {
    if (this.process.exitCode === null) await once(this.process, 'exit');
    return this.process.exitCode;
  }
}

describe('processes of the operator', () => {
  const api = KubernetesApi.fromEnvironment();
  const operators: Operator[] = [];
  let installed: Workload | null = null;

  const start = (name: string): Operator => {
    const operator = new Operator(name);
    operators.push(operator);
    return operator;
  };
  const holder = async (): Promise<string | undefined> => {
    const lease = await api.get<KubeObject & { spec: { holderIdentity?: string } }>(LEASE);
    return lease?.spec.holderIdentity;
  };
  const replicasOf = async (ref: typeof GATEWAYS): Promise<number | undefined> =>
    (await api.get<Workload>(ref))?.spec.replicas;
  const ask = (gateways: number): Promise<KubeObject> =>
    api.apply({ ...CLUSTER, spec: { shards: { replicas: 3 }, gateways: { replicas: gateways } } });

  beforeAll(async () => {
    installed = await api.get<Workload>(INSTALLED);
    if (installed !== null) await api.patch(INSTALLED, { spec: { replicas: 0 } });
    // Those that run here are not the one whom the admission policy knows.
    const annotations = { 'ringleader.io/break-glass': 'a test runs the operator by itself' };
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, annotations } });
    await ask(2);
  });

  afterAll(async () => {
    for (const { process: child } of operators) child.kill('SIGKILL');
    await api.patch(CLUSTER, { metadata: { finalizers: [] } });
    await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    if (installed !== null) await api.patch(INSTALLED, { spec: { replicas: installed.spec.replicas } });
  });

  it('lead one after the other; one that was stopped for 30 s and goes on writes nothing, and ends', async () => {
    const first = start('first');
    await until('it has begun', async () => (await replicasOf(GATEWAYS)) === 2, IN_TIME);
    const second = start('second');
    expect(await holder()).toBe('first');
    first.process.kill('SIGSTOP');
    const stoppedAt = performance.now();
    const deeds = first.deeds();
    await until('the second leads', async () => (await holder()) === 'second', IN_TIME);
    expect(performance.now() - stoppedAt).toBeLessThan(25_000);
    // Something that the first one would do, too, if it still believed to lead.
    await ask(1);
    await until('one gateway', async () => (await replicasOf(GATEWAYS)) === 1, IN_TIME);
    await until(
      'the time is over',
      () => Promise.resolve(performance.now() - stoppedAt > STOPPED_MS),
      IN_TIME,
    );
    first.process.kill('SIGCONT');
    expect(await first.ends()).toBe(1);
    expect(first.deeds()).toBe(deeds);
    expect(await holder()).toBe('second');
    expect(second.process.exitCode).toBeNull();
  }, 180_000);

  it('correct what somebody has changed, and leave alone what is the same in other words', async () => {
    const before = await api.get<Workload>(DETECTORS);
    const [container = {}] = before?.spec.template.spec.containers ?? [];
    const resources = { requests: { cpu: '0.05', memory: '262144Ki' }, limits: { memory: '262144Ki' } };
    const containers = [{ ...container, resources }];
    const reworded = await api.patch(DETECTORS, { spec: { template: { spec: { containers } } } });
    await api.patch(GATEWAYS, { spec: { replicas: 4 } });
    await until('one gateway', async () => (await replicasOf(GATEWAYS)) === 1, IN_TIME);
    const after = await api.get<Workload>(DETECTORS);
    expect(after?.metadata.generation).toBe(reworded.metadata.generation);
  }, 120_000);

  it('give the lease back when they are told to stop', async () => {
    const last = operators.at(-1);
    last?.process.kill('SIGTERM');
    expect(await last?.ends()).toBe(0);
    expect((await holder()) ?? '').toBe('');
  }, 60_000);
});
