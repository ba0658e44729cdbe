/**
 * One Ringleader cluster in a namespace of its own: asked for by its custom resource, seen through it, and reached by a gateway
 * as a user would.
 */
import {
  CLUSTER_API_VERSION,
  CLUSTER_KIND,
  type ConditionType,
  type RingleaderClusterStatus,
} from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { RestClient, type RestAnswer } from '@ringleader/testing-workload';
import type { KubeObject, KubernetesApi, Ref } from './api.js';
import { environment } from './environment.js';
import { merged } from './merge-patch.js';
import { internalAddress, isReady, POD, workers, type Pod } from './pods.js';

export type Component = 'nats' | 'coordinator' | 'shard' | 'failure-detector' | 'gateway';

export interface ClusterObject extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly shards: Readonly<Record<string, unknown>> & { readonly replicas: number };
  };
  readonly status?: RingleaderClusterStatus;
}

/** Merged into what every scenario begins with. */
export type SpecChange = Readonly<Record<string, unknown>>;

const NAME = 'demo';
const POLL_MS = 250;
/** What a busy cluster, or one between two leaders, may say to a question. */
export const UNANSWERED: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'OVERLOADED']);
const ANSWER_MS = 60_000;
/** From nothing to a cluster that serves, on a machine with two processors for all of its nodes. */
const START_MS = 420_000;

/** Asked for again where nobody could say it yet: what is asked does the same when it is done twice. */
export async function answerTo(what: string, ask: () => Promise<RestAnswer>): Promise<RestAnswer> {
  let answer: RestAnswer | undefined;
  const isAnswered = async (): Promise<boolean> => {
    answer = await ask();
    return answer.status !== 0 && !UNANSWERED.has(answer.code) && answer.code !== 'OUTCOME_UNKNOWN';
  };
  await until(`an answer to ${what}`, isAnswered, { timeoutMs: ANSWER_MS, everyMs: POLL_MS });
  return answer!;
}

export class ClusterUnderTest {
  readonly name = NAME;
  readonly ref: Ref;
  /** Through which no client comes, where there is another: it is about to stop. */
  private avoidedNode = '';

  constructor(
    readonly api: KubernetesApi,
    readonly namespace: string,
  ) {
    this.ref = {
      apiVersion: CLUSTER_API_VERSION,
      kind: CLUSTER_KIND,
      metadata: { name: NAME, namespace },
    };
  }

  /** Makes the cluster what scenarios begin with, from whatever is there; resolves when it is. */
  async begin(change: SpecChange = {}): Promise<void> {
    await this.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } });
    await this.apply(change);
    await this.untilSettled(START_MS);
  }

  async apply(change: SpecChange = {}): Promise<void> {
    await this.api.apply({ ...this.ref, spec: merged(await this.baseline(), change) });
  }

  async patch(spec: object): Promise<void> {
    await this.api.patch(this.ref, { spec });
  }

  /** As `kubectl scale rl/demo --replicas=N` does it. */
  async scale(replicas: number): Promise<void> {
    await this.api.patch(this.ref, { spec: { replicas } }, '/scale');
  }

  async read(): Promise<ClusterObject> {
    const cluster = await this.api.get<ClusterObject>(this.ref);
    if (cluster === null) throw new Error(`there is no cluster ${NAME} in ${this.namespace}`);
    return cluster;
  }

  /** What `kubectl wait --for=condition=...` looks at: true of the present generation only. */
  static says({ metadata, status }: ClusterObject, type: ConditionType, wanted: 'True' | 'False'): boolean {
    const condition = status?.conditions?.find((one) => one.type === type);
    return condition?.status === wanted && condition.observedGeneration === metadata.generation;
  }

  async untilCondition(type: ConditionType, wanted: 'True' | 'False', timeoutMs: number): Promise<void> {
    const holds = async (): Promise<boolean> => ClusterUnderTest.says(await this.read(), type, wanted);
    await until(`${type} is ${wanted}`, holds, { timeoutMs, everyMs: POLL_MS });
  }

  /** It serves, it is as it was asked for, and nothing is under way. */
  async isSettled(): Promise<boolean> {
    const cluster = await this.read();
    const { status } = cluster;
    const { replicas = 0, readyReplicas = 0 } = status?.shards ?? {};
    return (
      ClusterUnderTest.says(cluster, 'Available', 'True') &&
      ClusterUnderTest.says(cluster, 'Progressing', 'False') &&
      ClusterUnderTest.says(cluster, 'Degraded', 'False') &&
      ClusterUnderTest.says(cluster, 'Rebalancing', 'False') &&
      replicas === cluster.spec.shards.replicas &&
      readyReplicas === replicas &&
      (await this.pods()).every(isReady)
    );
  }

  async untilSettled(timeoutMs: number): Promise<void> {
    await until('the cluster has settled', () => this.isSettled(), { timeoutMs, everyMs: POLL_MS });
  }

  /** Of the cluster, or of one of its services; in the order of their names. */
  async pods(component?: Component): Promise<readonly Pod[]> {
    const labels = [`app.kubernetes.io/instance=${NAME}`, 'app.kubernetes.io/name=ringleader'];
    if (component !== undefined) labels.push(`app.kubernetes.io/component=${component}`);
    const pods = await this.api.list<Pod>(POD, this.namespace, labels.join(','));
    return pods.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  }

  async pod(name: string): Promise<Pod> {
    const pod = (await this.pods()).find(({ metadata }) => metadata.name === name);
    if (pod === undefined) throw new Error(`there is no pod ${name}`);
    return pod;
  }

  /** Resolves when it is gone; another of that name may be there by then. */
  async deletePod(pod: Pod): Promise<void> {
    const { name, uid } = pod.metadata;
    await this.api.delete({ ...POD, metadata: { name, namespace: this.namespace } });
    const isGone = async (): Promise<boolean> =>
      !(await this.pods()).some(({ metadata }) => metadata.uid === uid);
    await until(`${name} is gone`, isGone, { timeoutMs: 180_000, everyMs: POLL_MS });
  }

  /** With all that is on it. The pod keeps it for as long as it lives; another of its name gets an empty one. */
  async loseVolume(pod: Pod): Promise<void> {
    const metadata = { name: `data-${pod.metadata.name}`, namespace: this.namespace };
    await this.api.delete({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata });
    await this.deletePod(pod);
  }

  /** The pod of the coordinators' leader. */
  async leader(): Promise<Pod> {
    const { status } = await this.read();
    const member = status?.members?.find(({ role }) => role === 'leader');
    if (member === undefined) throw new Error('the status names no leader of the coordinators');
    return this.pod(member.pod);
  }

  /** Names of the volumes of a service, in order. */
  async claims(component: Component): Promise<readonly string[]> {
    const prefix = `data-${NAME}-${component}-`;
    const claims = await this.api.list({ apiVersion: 'v1', kind: 'PersistentVolumeClaim' }, this.namespace);
    return claims
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith(prefix))
      .sort();
  }

  /** Several connections, through all gateways. */
  async client(connections: number): Promise<RestClient> {
    const { url, ca, token } = await this.door();
    return new RestClient(url, connections, { ca, token });
  }

  /** How the administrator gets in. */
  async door(): Promise<{ readonly url: string; readonly ca: string; readonly token: string }> {
    return { url: await this.url(), ...(await this.access()) };
  }

  /** The document that a path of the gateway answers, asked for again where nobody could say it yet. */
  async ask<T>(path: string): Promise<T> {
    const client = await this.client(1);
    try {
      const { status, code, body } = await answerTo(path, () => client.request('GET', path));
      if (status !== 200) throw new Error(`${path}: ${status} ${code} ${body.toString()}`);
      return JSON.parse(body.toString()) as T;
    } finally {
      await client.close();
    }
  }

  /** As a load balancer before the nodes does that has noticed: clients that are made from now on come through others. */
  avoid(node: string): void {
    this.avoidedNode = node;
  }

  private async url(): Promise<string> {
    if (environment.gateway !== undefined) return environment.gateway;
    const ref = { apiVersion: 'v1', kind: 'Service', metadata: { name: NAME, namespace: this.namespace } };
    const service = await this.api.get<ServiceObject>(ref);
    const nodePort = service?.spec.ports[0]?.nodePort;
    if (nodePort === undefined) throw new Error(`the Service ${NAME} has no port on nodes`);
    const ready = (await workers(this.api)).filter(isReady);
    const node = ready.find(({ metadata }) => metadata.name !== this.avoidedNode) ?? ready[0];
    if (node === undefined) throw new Error('no node is ready');
    return `https://${internalAddress(node)}:${nodePort}`;
  }

  private async access(): Promise<{ readonly ca: string; readonly token: string }> {
    const { namespace } = this;
    const named = (name: string) => ({ metadata: { name, namespace } });
    const authority = await this.api.get<DataObject>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      ...named(`${NAME}-ca`),
    });
    const token = await this.api.get<DataObject>({
      apiVersion: 'v1',
      kind: 'Secret',
      ...named(`${NAME}-root-token`),
    });
    const ca = authority?.data?.['ca.crt'];
    const encoded = token?.data?.['token'];
    if (ca === undefined) throw new Error(`the ConfigMap ${NAME}-ca has no ca.crt`);
    if (encoded === undefined) throw new Error(`the Secret ${NAME}-root-token has no token`);
    return { ca, token: Buffer.from(encoded, 'base64').toString('utf8').trim() };
  }

  /** Small: three of what there must be three of, and as little of everything as lets it work. */
  private async baseline(): Promise<ClusterObject['spec']> {
    const addresses = (await workers(this.api)).map(internalAddress);
    const { image, postgresImage, natsImage } = environment;
    const memory = (amount: string) => ({
      resources: { requests: { cpu: '20m', memory: amount }, limits: { memory: amount } },
    });
    const postgres = postgresImage === undefined ? {} : { image: postgresImage };
    const nats = natsImage === undefined ? {} : { image: natsImage };
    return {
      partitions: 64,
      coordinators: { replicas: 3, storage: { size: '1Gi' }, ...memory('320Mi') },
      shards: {
        replicas: 3,
        storage: { size: '1Gi' },
        ...memory('384Mi'),
        postgres: { ...postgres, ...memory('384Mi') },
      },
      gateways: { replicas: 2, hosts: addresses, service: { type: 'NodePort' }, ...memory('320Mi') },
      failureDetectors: { replicas: 3, ...memory('256Mi') },
      nats: { managed: { replicas: 3, ...nats, ...memory('128Mi') } },
      images: { ringleader: image, pullPolicy: 'IfNotPresent' },
    };
  }
}

interface ServiceObject extends KubeObject {
  readonly spec: { readonly ports: readonly { readonly nodePort?: number }[] };
}

interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
