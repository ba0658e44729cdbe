/** Puts a gateway together and starts it: NATS, the followers of the cluster, the request path, HTTP. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createBalancer } from '@ringleader/balancer';
import { HybridClock } from '@ringleader/hybrid-clock';
import { OperationalError, RINGLEADER_VERSION } from '@ringleader/contracts';
import { CoordinationClient, PartitionMapMirror } from '@ringleader/coordination';
import type { Coordinator } from '@ringleader/coordination';
import { connectNatsLinks, memberNatsOptions } from '@ringleader/nats';
import type { NatsLink, NatsLinks } from '@ringleader/nats';
import { createMetrics, startProbeServer, systemClock } from '@ringleader/observability';
import type { Logger, ProbeServer, Registry } from '@ringleader/observability';
import { seededPrng } from '@ringleader/primitives';
import { unreadyReasons } from './cluster/cluster-health.js';
import { ClusterObserver } from './cluster/cluster-observer.js';
import { clusterView } from './cluster/cluster-view.js';
import type { GatewayConfig } from './gateway.config.js';
import { registerGatewayMetrics } from './health/gateway-metrics.js';
import { Admission } from './http/admission.js';
import { DEFAULT_HTTP_TIMINGS, createHttpServer } from './http/http-server.js';
import { RequestContext } from './kv/request-context.js';
import { GatewayMembership } from './membership/gateway-membership.js';
import { DEFAULT_CHANNEL_LIMITS, createRequestPath } from './routing/request-path.js';
import type { RequestPath } from './routing/request-path.js';
import { ShardDirectory } from './routing/shard-directory.js';
import type { ClusterReport, Readiness } from './tokens.js';
import { LeaderAnnouncements } from './transport/leader-announcements.nats.js';
import { NatsShardFrames } from './transport/shard-frames.nats.js';

/** Requests under way get this long to end. */
const DRAIN_MS = 3_500;
const IDLE_CHECK_MS = 50;
const UINT32 = 2 ** 32;

export interface RunningGateway {
  /** host:port as bound. */
  readonly address: string;
  stop(): Promise<void>;
}

/** The coordinators as a gateway uses them; tests have a twin. */
export type FollowedCoordinator = Coordinator & Pick<CoordinationClient, 'status' | 'close'>;
export type CoordinatorOf = (link: NatsLink, cluster: string, member: string) => FollowedCoordinator;

const realCoordinator: CoordinatorOf = (link, cluster, member) =>
  new CoordinationClient({ link, cluster, speaker: { service: 'gateway', member }, clock: systemClock });

/** Everything that follows the cluster over NATS. */
class Following {
  readonly client: FollowedCoordinator;
  readonly map: PartitionMapMirror;
  readonly observer: ClusterObserver;
  readonly shardDirectory = new ShardDirectory();
  readonly hybridClock = new HybridClock(systemClock);
  readonly frames: NatsShardFrames;
  readonly path: RequestPath;
  readonly announcements: LeaderAnnouncements;

  constructor(
    readonly links: NatsLinks,
    private readonly config: GatewayConfig,
    logger: Logger,
    coordinatorOf: CoordinatorOf,
  ) {
    const { RINGLEADER_CLUSTER: cluster, RINGLEADER_MEMBER: gatewayId } = config;
    const onTrouble = (error: OperationalError): void =>
      logger.warn({ error }, 'The coordinators cannot be followed');
    const clock = systemClock;
    this.client = coordinatorOf(links.control, cluster, gatewayId);
    this.map = new PartitionMapMirror({ client: this.client, clock, onTrouble });
    this.observer = new ClusterObserver({
      client: this.client,
      link: links.control,
      clusterName: cluster,
      clock,
      shardDirectory: this.shardDirectory,
      onTrouble,
    });
    links.control.onChange((isConnected) => {
      if (isConnected) this.announcements.ask();
    });
    links.data.onChange((isConnected) => {
      if (isConnected) this.path.router.transportRestored();
    });
    const { hybridClock } = this;
    this.frames = new NatsShardFrames({
      link: links.data,
      cluster,
      gatewayId,
      hybridNow: hybridClock.stamp,
    });
    this.path = this.requestPath();
    this.announcements = new LeaderAnnouncements({
      link: links.control,
      cluster,
      gatewayId,
      leaders: this.path.leaders,
      monotonicMs: () => clock.monotonicMs(),
      mergeClock: hybridClock.merge,
      onChange: (partitions) => this.path.router.leadersChanged(partitions),
    });
  }

  start(): void {
    void this.map.start();
    this.observer.start();
    this.announcements.start();
  }

  async stop(): Promise<void> {
    this.observer.stop();
    this.map.stop();
    this.announcements.close();
    this.frames.close();
    await this.client.close();
    await this.links.close();
  }

  readonly readiness: Readiness = () => {
    const { map, path } = this;
    const now = systemClock.monotonicMs();
    const leaderless = map.entries.filter(
      ({ partition }) => path.leaders.announcedLeader(partition, now) === null,
    );
    return unreadyReasons({
      transportConnected: this.links.isConnected,
      partitions: map.entries.length,
      partitionsWithoutLeader: leaderless.length,
    });
  };

  readonly report: ClusterReport = () => {
    const { observer, map, path } = this;
    return clusterView(
      {
        name: this.config.RINGLEADER_CLUSTER,
        cluster: observer.cluster,
        members: observer.members,
        shards: observer.shards,
        coordinatorsSeen: observer.coordinatorsSeen,
        coordinator: observer.coordinator,
        entries: map.entries,
        transportConnected: this.links.isConnected,
        telemetry: observer.telemetry,
        announcedLeader: (partition, now) => path.leaders.announcedLeader(partition, now),
      },
      systemClock.monotonicMs(),
    );
  };

  private requestPath(): RequestPath {
    const { config, frames, map, hybridClock, shardDirectory, observer } = this;
    return createRequestPath({
      frames,
      map,
      clock: systemClock,
      hybridClock,
      balancer: createBalancer(config.RINGLEADER_BALANCER, seededPrng(Math.floor(Math.random() * UINT32))),
      shardDirectory,
      isSuspect: (shard) => observer.isSuspect(shard),
      limits: {
        operationsMax: config.RINGLEADER_OPERATIONS_MAX,
        channel: DEFAULT_CHANNEL_LIMITS,
        repeatsRemembered: config.RINGLEADER_REPEATS_REMEMBERED,
      },
    });
  }
}

export async function startGateway(
  config: GatewayConfig,
  logger: Logger,
  coordinatorOf: CoordinatorOf = realCoordinator,
): Promise<RunningGateway> {
  const links = await connectNatsLinks(memberNatsOptions(config, 'gateway'), logger);
  const following = new Following(links, config, logger, coordinatorOf);
  const admission = new Admission({
    requestsMax: config.RINGLEADER_REQUESTS_MAX,
    bytesMax: config.RINGLEADER_REQUEST_BYTES_MAX,
    clientRequestsMax: config.RINGLEADER_CLIENT_REQUESTS_MAX,
  });
  const metrics = createMetrics({ service: 'gateway', member: config.RINGLEADER_MEMBER });
  const { frames, hybridClock } = following;
  registerGatewayMetrics(metrics, { admission, router: following.path.router, frames, hybridClock });
  const app = await createHttpServer({
    parts: {
      store: following.path.store,
      context: new RequestContext(() => systemClock.monotonicMs()),
      shardDirectory: following.shardDirectory,
      readiness: following.readiness,
      clusterReport: following.report,
      metrics,
    },
    logger,
    version: RINGLEADER_VERSION,
    admission,
    timings: DEFAULT_HTTP_TIMINGS,
    hosts: [config.RINGLEADER_HTTP_HOST, ...config.RINGLEADER_HTTP_HOSTS],
    trustedProxies: config.RINGLEADER_TRUSTED_PROXIES,
  });
  following.start();
  await listen(app, config);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const address = `${config.RINGLEADER_HTTP_HOST}:${port}`;
  const probes = await startProbes(config, following.readiness, metrics);
  const membership = new GatewayMembership({
    client: following.client,
    link: links.control,
    cluster: config.RINGLEADER_CLUSTER,
    id: config.RINGLEADER_MEMBER,
    instance: randomUUID(),
    address: probes?.address ?? address,
    requests: { inFlight: () => admission.inFlight, requestsTotal: () => admission.requestsTotal },
    logger,
  });
  membership.start();
  logger.info({ address, probes: probes?.address }, 'Started');
  return {
    address,
    stop: async () => {
      await Promise.all([membership.stop(), drain(app)]);
      await probes?.close();
      await following.stop();
    },
  };
}

async function listen(app: NestFastifyApplication, config: GatewayConfig): Promise<void> {
  const { RINGLEADER_HTTP_HOST: host, RINGLEADER_HTTP_PORT: port } = config;
  try {
    await app.listen(port, host);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new OperationalError(
      'CONFIG_INVALID',
      `Cannot listen on ${host}:${port}: ${reason}`,
      { host, port },
      { cause },
    );
  }
}

/**
 * Accepts nothing new and lets what is under way end; what takes too long is cut off. Connections that become idle only
 * when their last answer is out would otherwise be kept open for the next request.
 */
async function drain(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await app.close();
  clearInterval(idle);
  clearTimeout(cut);
}

async function startProbes(
  config: GatewayConfig,
  readiness: Readiness,
  metrics: Registry,
): Promise<ProbeServer | null> {
  if (config.RINGLEADER_PROBE_PORT === undefined) return null;
  return startProbeServer({
    host: config.RINGLEADER_PROBE_HOST,
    port: config.RINGLEADER_PROBE_PORT,
    readiness,
    metrics,
  });
}
