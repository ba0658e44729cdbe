/** A whole gateway on a free port, with shards in memory. */
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { Provider, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TargetLoads } from '@ringleader/balancer';
import type { ClusterView, Incident } from '@ringleader/contracts';
import { GatewayClock } from '@ringleader/hybrid-clock';
import { Registry, systemClock } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { seededPrng } from '@ringleader/primitives';
import { Coordination, Health, ServiceClock } from '@ringleader/service-host';
import type { AccessControl } from '../../src/access/access.module.js';
import type { Authenticator } from '../../src/access/authenticator.js';
import { Guard } from '../../src/access/guard.js';
import { TokenStore } from '../../src/access/token-store.js';
import { RESOURCES } from '../../src/app.module.js';
import { ClusterReport } from '../../src/cluster/cluster.controller.js';
import { clusterView } from '../../src/cluster/cluster-view.js';
import { ClusterEvents } from '../../src/cluster/cluster-events.js';
import { LoadHistory } from '../../src/cluster/load-history.js';
import { PartitionReport } from '../../src/cluster/partition-report.js';
import { PlacementObserver } from '../../src/cluster/placement-observer.js';
import { Telemetry } from '../../src/cluster/telemetry.js';
import { Admission } from '../../src/http/admission.js';
import type { AdmissionLimits } from '../../src/http/admission.js';
import { LargeBodies } from '../../src/http/large-bodies.js';
import { followCertificate } from '../../src/http/tls.js';
import type { ServerTls } from '../../src/http/tls.js';
import { HttpMetrics } from '../../src/health/http-metrics.js';
import { DEFAULT_HTTP_TIMINGS, HttpDrain, createHttpServer } from '../../src/http-server.js';
import type { HttpServerTimings } from '../../src/http-server.js';
import { KeyValueStore } from '../../src/kv/key-value-store.js';
import type { RetryTimings } from '../../src/routing/attempts.js';
import { ReplicaPicker } from '../../src/routing/replica-picker.js';
import { createRouter } from '../../src/routing/request-router.js';
import type { RequestRouter } from '../../src/routing/request-router.js';
import { LeaderTable, RoutingTable } from '../../src/routing/routing-table.js';
import { ShardDirectory } from '../../src/routing/shard-directory.js';
import { DEFAULT_CHANNEL_LIMITS, nodeScheduler } from '../../src/routing/shard-channel.js';
import type { ShardChannelLimits } from '../../src/routing/shard-channel.js';
import { InMemoryShards } from './in-memory-shards.js';

export interface HarnessOptions {
  readonly limits?: Partial<RoutingLimits>;
  readonly admission?: Partial<AdmissionLimits>;
  readonly largeBodiesBytesMax?: number;
  readonly timings?: Partial<HttpServerTimings>;
  /** Absent: plain HTTP. Its files are looked at as often as they can be. */
  readonly tls?: ServerTls;
  /** Stops as a gateway does; absent: as soon as it can. */
  readonly drains?: boolean;
  readonly retries?: RetryTimings;
  readonly readiness?: () => readonly string[];
  readonly hosts?: readonly string[];
  readonly trustedProxies?: readonly string[];
  /** False: everything goes through the web framework. */
  readonly isLaneOpen?: boolean;
  /** All there are, when absent. */
  readonly resources?: readonly Type[];
  /** The coordinators, as far as the resource needs them. */
  readonly coordination?: Partial<Coordination>;
  readonly incidents?: readonly Incident[];
  readonly events?: Pick<ClusterEvents, 'stream'>;
  readonly history?: Pick<LoadHistory, 'items'>;
  readonly partitions?: Pick<PartitionReport, 'partitions'>;
  /** Absent: whoever comes may do everything. */
  readonly authenticator?: Authenticator | null;
  /** The whole of it, in place of an authenticator. */
  readonly access?: Pick<AccessControl, 'guard' | 'store'>;
}

interface RoutingLimits {
  /** Operations under way at once; a batch has many. */
  readonly operationsMax: number;
  readonly channel: ShardChannelLimits;
  readonly repeatsRemembered: number;
}

interface RequestPath {
  readonly leaders: LeaderTable;
  readonly router: RequestRouter;
  readonly store: KeyValueStore;
}

export interface GatewayHarness {
  readonly url: string;
  readonly port: number;
  readonly shards: InMemoryShards;
  readonly path: RequestPath;
  readonly admission: Admission;
  readonly largeBodies: LargeBodies;
  readonly metrics: Registry;
  /** Every line logged so far. */
  readonly log: readonly string[];
  /** What was audited so far. */
  readonly audit: readonly object[];
  readonly guard: Guard;
  announce(): void;
  close(): Promise<void>;
}

const PARTITIONS = 16;
const FILES_EVERY_MS = 10;

class InMemoryGateway {}

const NOTHING_TO_SEE = { cluster: () => null, moves: () => null, load: () => null };

export async function startGateway(options: HarnessOptions = {}): Promise<GatewayHarness> {
  const shards = new InMemoryShards(PARTITIONS, [1, 2, 3]);
  const shardDirectory = new ShardDirectory();
  for (const shard of shards.shards) shardDirectory.learn(shard, { name: `shard-${shard}`, weight: 1 });
  const path = requestPath(shards, shardDirectory, options);
  const announce = (): void => shards.announce(path.leaders, systemClock.monotonicMs());
  announce();
  const admission = new Admission({
    requestsMax: 1_000,
    bytesMax: 67_108_864,
    clientRequestsMax: 1_000,
    ...options.admission,
  });
  const largeBodies = new LargeBodies(options.largeBodiesBytesMax ?? 67_108_864);
  const partitionReport = new PartitionReport({
    map: shards,
    announcedLeader: (partition, now) => path.leaders.announcedLeader(partition, now),
    name: (shard) => shardDirectory.name(shard),
    monotonicMs: () => systemClock.monotonicMs(),
  });
  const { logger, log } = memoryLogger();
  const health = new Health();
  const metrics = new Registry();
  if (options.readiness !== undefined) health.readyWhen(options.readiness);
  const { guard, audit } = guardOf(options);
  const app = await createHttpServer({
    root: {
      module: InMemoryGateway,
      controllers: [...(options.resources ?? RESOURCES)],
      providers: [
        { provide: KeyValueStore, useValue: path.store },
        { provide: ServiceClock, useValue: systemClock },
        { provide: Coordination, useValue: options.coordination ?? {} },
        { provide: ShardDirectory, useValue: shardDirectory },
        { provide: Health, useValue: health },
        {
          provide: ClusterReport,
          useValue: { view: () => reportOf(shards, path), unservableReasons: () => [] },
        },
        { provide: PartitionReport, useValue: options.partitions ?? partitionReport },
        ...watchers(options),
        { provide: Guard, useValue: guard },
        { provide: Admission, useValue: admission },
        { provide: LargeBodies, useValue: largeBodies },
        { provide: HttpMetrics, useValue: new HttpMetrics(metrics) },
      ],
    },
    logger,
    version: '0.0.0-test',
    ...settingsOf(options),
  });
  return {
    ...(await listen(app, options.tls, logger)),
    shards,
    path,
    admission,
    largeBodies,
    metrics,
    log,
    audit,
    guard,
    announce,
    close: () => app.close(),
  };
}

function settingsOf(options: HarnessOptions) {
  const { tls = null, hosts = [], trustedProxies = [], isLaneOpen = true } = options;
  const timings = { ...DEFAULT_HTTP_TIMINGS, ...options.timings };
  return { tls, hosts, trustedProxies, isLaneOpen, timings };
}

function guardOf({ authenticator = null, access }: HarnessOptions): { guard: Guard; audit: object[] } {
  const audit: object[] = [];
  const logger = { info: (fields: object) => void audit.push(fields) };
  const guard = access?.guard ?? new Guard({ authenticator, clock: systemClock, logger });
  return { guard, audit };
}

function watchers(options: HarnessOptions): Provider[] {
  const drain = options.drains === true ? [HttpDrain] : [];
  const { events = new ClusterEvents({ sources: NOTHING_TO_SEE }), incidents = [] } = options;
  const { history = { items: [] } } = options;
  return [
    { provide: PlacementObserver, useValue: { incidents } },
    { provide: ClusterEvents, useValue: events },
    { provide: LoadHistory, useValue: history },
    ...drain,
    { provide: TokenStore, useValue: options.access?.store ?? {} },
  ];
}

function requestPath(
  shards: InMemoryShards,
  directory: ShardDirectory,
  { limits, retries }: HarnessOptions,
): RequestPath {
  const hybridClock = new GatewayClock(systemClock);
  const leaders = new LeaderTable();
  const loads = new TargetLoads();
  const router = createRouter({
    frames: shards,
    leaders,
    loads,
    clock: systemClock,
    mergeClock: hybridClock.merge,
    channelLimits: limits?.channel ?? DEFAULT_CHANNEL_LIMITS,
    inFlightMax: limits?.operationsMax ?? 10_000,
    ...(retries && { timings: retries }),
  });
  const prng = seededPrng(1);
  const replicas = new ReplicaPicker({
    ...{ strategy: 'round-robin', slowStartMs: 0, prng, loads },
    shards: directory,
  });
  const store = new KeyValueStore({
    router,
    map: shards,
    routes: new RoutingTable({ leaders, map: shards, replicas }),
    repeatsRemembered: limits?.repeatsRemembered ?? 100,
    hybridNow: hybridClock.stamp,
    monotonicMs: () => systemClock.monotonicMs(),
    scheduler: nodeScheduler,
  });
  return { leaders, router, store };
}

async function listen(
  app: NestFastifyApplication,
  tls: ServerTls | undefined,
  logger: Logger,
): Promise<{ url: string; port: number }> {
  if (tls !== undefined) followCertificate(app.getHttpServer(), tls, logger, FILES_EVERY_MS);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, port };
}

/** What a gateway knows of a cluster whose members have not told anything yet. */
function reportOf(shards: InMemoryShards, path: RequestPath): ClusterView {
  return clusterView(
    {
      name: 'test',
      cluster: null,
      members: [],
      shards: [],
      coordinators: [],
      coordinator: { leader: null, term: null, joint: false, members: [] },
      detectorQuorum: 0,
      entries: shards.entries,
      ...{ places: [], incidents: [], blocked: null },
      transportConnected: shards.isOpen,
      telemetry: new Telemetry(),
      verdictOf: () => null,
      announcedLeader: (partition, now) => path.leaders.announcedLeader(partition, now),
    },
    systemClock.monotonicMs(),
  );
}

/** The application logs through a few methods of the logger only. */
function memoryLogger(): { logger: Logger; log: string[] } {
  const log: string[] = [];
  const take = (fields: unknown, message: string): void => void log.push(`${message} ${inspect(fields)}`);
  const ignore = (): void => undefined;
  const methods = { fatal: take, error: take, warn: take, info: ignore, debug: ignore, trace: ignore };
  return { logger: methods as unknown as Logger, log };
}
