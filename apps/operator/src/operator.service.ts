/** The life of one of the operator's processes: it waits for the lease, acts while it has it, and gives it back at the end. */
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import type { RingleaderCluster } from '@ringleader/contracts';
import { jittered } from '@ringleader/primitives';
import { HostSigns } from '@ringleader/service-host';
import { EventRecorder } from './kubernetes/events.js';
import { Kubernetes } from './kubernetes/fence.js';
import { PODS } from './kubernetes/kinds.js';
import { patiently } from './kubernetes/patiently.js';
import { RESYNC_MS } from './kubernetes/watch-loop.js';
import { Watches } from './kubernetes/watches.js';
import { WorkQueue } from './kubernetes/work-queue.js';
import { OperatorConfig } from './operator.config.js';
import { OperatorMetrics } from './operator-metrics.js';
import type { Images } from './planning/types.js';
import { ownedObjects } from './resources/index.js';
import { CredentialsKeeper } from './reconcile/credentials.js';
import { readOnly } from './reconcile/secret-store.js';
import { DataPlanes } from './reconcile/data-planes.js';
import { Executor } from './reconcile/executor.js';
import { Reconciler } from './reconcile/reconciler.js';

/** Clusters that are looked at at once. */
const CONCURRENCY = 4;
/** Of the operator's pods, in k8s/. */
const CONTAINER = 'operator';

@Injectable()
export class OperatorService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #ending = new AbortController();
  readonly #queue: WorkQueue;
  readonly #watches: Watches;
  readonly #planes: DataPlanes;
  #running: Promise<void> | null = null;
  #images: Images;

  constructor(
    private readonly config: OperatorConfig,
    private readonly kubernetes: Kubernetes,
    private readonly metrics: OperatorMetrics,
    private readonly signs: HostSigns,
  ) {
    const { logger, health } = signs;
    const { api } = kubernetes;
    this.#images = {
      ringleader: `ringleader/ringleader:${RINGLEADER_VERSION}`,
      postgres: config.RINGLEADER_POSTGRES_IMAGE,
      nats: config.RINGLEADER_NATS_IMAGE,
    };
    const onChange = (cluster: string): void => this.#queue.add(cluster);
    this.#watches = new Watches({
      ...{ api, logger, onChange },
      namespace: config.RINGLEADER_WATCH_NAMESPACE ?? null,
    });
    this.#planes = new DataPlanes(config.RINGLEADER_MEMBER, logger, onChange);
    const reconciler = this.#newReconciler();
    this.#queue = new WorkQueue({
      work: (key) => reconciler.reconcile(key),
      onFailure: (key, error, failures) =>
        logger.error({ cluster: key, failures, error }, 'A look at a cluster failed; trying again'),
      concurrency: CONCURRENCY,
    });
    health.readyWhen(() => this.#notReady());
  }

  onApplicationBootstrap(): void {
    const { fatal } = this.signs;
    this.#running = this.#run(this.#ending.signal).catch((error: unknown) => {
      if (!this.#ending.signal.aborted) fatal.report(error);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    // The lease is kept until nothing is under way any more.
    await this.#queue.stop();
    this.#ending.abort();
    await this.#planes.close();
    await this.#running;
    await this.kubernetes.election.release();
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.metrics.leads(false);
    const { election } = this.kubernetes;
    await election.acquire(signal);
    this.metrics.leads(true);
    // Whoever loses the lease ends at once, whatever else it is about.
    await Promise.race([election.keep(signal), this.#act(signal)]);
  }

  async #act(signal: AbortSignal): Promise<void> {
    const { logger } = this.signs;
    const ringleader = await patiently(() => this.#ownImage(), { signal, logger });
    this.#images = { ...this.#images, ringleader };
    await this.#watches.start(signal);
    logger.info({ clusters: this.#watches.clusters() }, 'Looking after clusters');
    while (!signal.aborted) {
      for (const cluster of this.#watches.clusters()) this.#queue.add(cluster);
      await pause(jittered(RESYNC_MS, Math.random()), undefined, { signal });
      await this.#watches.lookForOptionalKinds(signal);
    }
  }

  /** The services and their operator are one image: that of this pod, where it is one. */
  async #ownImage(): Promise<string> {
    const { POD_NAMESPACE: namespace, RINGLEADER_MEMBER: name, RINGLEADER_IMAGE: image } = this.config;
    if (image !== undefined) return image;
    const pod = await this.kubernetes.api.find({ kind: PODS, namespace, name });
    const { containers = [] } = (pod?.['spec'] ?? {}) as {
      readonly containers?: readonly { readonly name: string; readonly image: string }[];
    };
    // By its name: others (a service mesh) put containers of theirs before ours.
    const own = containers.find((container) => container.name === CONTAINER) ?? containers[0];
    return own?.image ?? this.#images.ringleader;
  }

  #notReady(): readonly string[] {
    const { election } = this.kubernetes;
    if (!election.isHearing()) return ['the API server was not heard lately'];
    const isListing = election.isLeader && !this.#watches.isSynced;
    return isListing ? ['it leads, and has not listed everything yet'] : [];
  }

  #newReconciler(): Reconciler {
    const { metrics, config } = this;
    const { api } = this.kubernetes;
    const { logger } = this.signs;
    const watches = this.#watches;
    const events = new EventRecorder({ api, logger, instance: config.RINGLEADER_MEMBER });
    const keeping = {
      known: watches,
      nowMs: () => Date.now(),
      onMade: ({ metadata: { namespace, name } }: RingleaderCluster, what: string) =>
        void logger.info({ cluster: `${namespace}/${name}` }, what),
    };
    return new Reconciler({
      ...{ api, watches, events, metrics, logger },
      planes: this.#planes,
      credentials: new CredentialsKeeper({ api, ...keeping }),
      credentialsReader: new CredentialsKeeper({ api: readOnly(api), ...keeping }),
      executor: new Executor(api, watches),
      wanted: ownedObjects,
      operatorImages: () => this.#images,
    });
  }
}
