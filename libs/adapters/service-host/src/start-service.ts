/**
 * Starts one service as a NestJS application: probes first, then everything else. Whatever is the same for all services
 * is here or in the modules that this one puts below theirs.
 */
import { randomUUID } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import { setTimeout as pause } from 'node:timers/promises';
import { Module, type DynamicModule, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestApplicationContextOptions } from '@nestjs/common/interfaces/nest-application-context-options.interface.js';
import { MEMORY_VARIABLE, advertisedHost, hostAndPort, memoryBytes } from '@ringleader/config';
import type { CommonConfig } from '@ringleader/config';
import { OperationalError } from '@ringleader/contracts';
import type { Service } from '@ringleader/contracts';
import { memberNatsOptions } from '@ringleader/nats';
import { NestLogger, createMetrics, systemClock } from '@ringleader/observability';
import type { Logger, Registry } from '@ringleader/observability';
import type { z } from 'zod';
import { FatalErrors } from './fatal-errors.js';
import { Health } from './health.js';
import { HostModule } from './host.module.js';
import { NatsWaiting } from './nats-waiting.js';
import { startProbeServer } from './probe-server.js';
import type { Coordination, Self, StopBudget } from './injectables.js';
import type { ProbeServer } from './probe-server.js';

/** What a service is made of, besides what all have. */
export interface ServiceDefinition<Schema extends z.ZodObject = z.ZodObject> {
  readonly service: Service;
  readonly schema: Schema;
  /** The class by which the configuration is injected. */
  readonly config: abstract new () => Readonly<z.infer<Schema>>;
  readonly module: Type<unknown>;
  /** What it needs at most from the signal to its end, without the pause, if the configuration does not say. */
  readonly stopWithinMs: number;
  /** Whether it carries bulk, which gets a connection apart from what keeps the cluster alive. */
  readonly carriesBulk?: boolean;
  /** Why it has not started until it calls `health.started`: 'the log is not open yet'. Absent: it has at once. */
  readonly notStarted?: string;
  /** Makes the application and lets it begin. Absent: one that serves nothing by itself. */
  readonly create?: (beginning: Beginning<Readonly<z.infer<Schema>>>) => Promise<INestApplicationContext>;
  /** In place of the real coordinators, for tests. */
  readonly coordination?: Coordination;
}

export interface Beginning<Config> {
  /** The service's module, below what all have. */
  readonly root: DynamicModule;
  readonly options: NestApplicationContextOptions;
  readonly config: Config;
  readonly logger: Logger;
  readonly health: Health;
}

export interface RunningService {
  /** host:port of the probes, '' without. */
  readonly address: string;
  readonly health: Health;
  /** Settles when the application runs: not before NATS has answered. */
  readonly application: Promise<INestApplicationContext>;
  /** Rejects when the process must end. */
  readonly failed: Promise<never>;
  /** Lets what is under way end, leaves the cluster, closes everything; once. */
  stop(): Promise<void>;
}

/** A partition is handed over in some milliseconds, once somebody can take it: who comes back needs a few seconds till then. */
const HAND_OVER_MS_MAX = 20_000;

/** From the signal to the end, the pause included: a stop that is cut off in its pause would end nothing in order. */
export function stopBoundMs(
  { stopWithinMs }: Pick<ServiceDefinition, 'stopWithinMs'>,
  {
    RINGLEADER_STOP_WITHIN_MS: boundMs,
    RINGLEADER_DRAIN_PAUSE_MS: pauseMs,
  }: Pick<CommonConfig, 'RINGLEADER_STOP_WITHIN_MS' | 'RINGLEADER_DRAIN_PAUSE_MS'>,
): number {
  if (boundMs === undefined) return stopWithinMs + pauseMs;
  if (boundMs > pauseMs) return boundMs;
  const message = `RINGLEADER_STOP_WITHIN_MS (${boundMs}) must be longer than RINGLEADER_DRAIN_PAUSE_MS (${pauseMs}), with which a stop begins`;
  throw new OperationalError('CONFIG_INVALID', message, { stopWithinMs: boundMs, pauseMs });
}

/** The other half is for everything else: nobody is cut off because nobody could be found to hand over to. */
export function stopBudget(stopWithinMs: number, pauseMs: number): StopBudget {
  return { handOverMs: Math.max(0, Math.min(HAND_OVER_MS_MAX, Math.floor((stopWithinMs - pauseMs) / 2))) };
}

/** So long a stop waits for an application that is about to begin. */
const BEGIN_WITHIN_MS = 1_000;

@Module({})
class ServiceRoot {}

/** Resolves as soon as probes are answered. */
export async function startService<Schema extends z.ZodObject>(
  definition: ServiceDefinition<Schema>,
  config: Readonly<z.infer<Schema>>,
  logger: Logger,
): Promise<RunningService> {
  const common = config as unknown as CommonConfig;
  const health = new Health(definition.notStarted);
  const fatal = new FatalErrors();
  const metrics = createMetrics({ service: definition.service, member: common.RINGLEADER_MEMBER });
  const probes = await startProbes(common, health, metrics);
  const address = probes === null ? '' : addressOf(common, probes);
  const natsOptions = memberNatsOptions(common, definition.service);
  const nats = new NatsWaiting(natsOptions, logger, fatal, definition.carriesBulk === true);
  health.readyWhen(nats.notReadyReasons);
  const { coordination } = definition;
  const self = selfOf(definition.service, common, address);
  const provider = { provide: definition.config, useValue: config };
  const budget = stopBudget(stopBoundMs(definition, common), common.RINGLEADER_DRAIN_PAUSE_MS);
  const root: DynamicModule = {
    module: ServiceRoot,
    imports: [
      HostModule.of({ self, config: provider, logger, health, fatal, metrics, nats, budget, coordination }),
      definition.module,
    ],
  };
  const options = { logger: new NestLogger(logger), abortOnError: false };
  const application = create(definition, { root, options, config, logger, health });
  application.then(() => logger.info({ probes: address, memory: memoryOf(common) }, 'Started'), fatal.report);
  const stop = async (): Promise<void> => {
    health.drain();
    logger.info({ pauseMs: common.RINGLEADER_DRAIN_PAUSE_MS }, 'Draining');
    await pause(common.RINGLEADER_DRAIN_PAUSE_MS);
    // It may wait for NATS, or for others of its kind, and then nothing is under way.
    const begun = await Promise.race([application, pause(nats.isOver ? BEGIN_WITHIN_MS : 0)]);
    if (begun === undefined) logger.info({ reasons: health.startup() }, 'Stopped before it had begun');
    else await begun.close();
    await nats.close();
    await probes?.close();
  };
  let stopped: Promise<void> | null = null;
  return {
    ...{ address, health, application },
    failed: fatal.first,
    stop: () => (stopped ??= stop()),
  };
}

async function create<Schema extends z.ZodObject>(
  definition: Pick<ServiceDefinition<Schema>, 'create'>,
  beginning: Beginning<Readonly<z.infer<Schema>>>,
): Promise<INestApplicationContext> {
  const { root, options, health } = beginning;
  let isRunning = false;
  health.readyWhen(() => (isRunning ? [] : ['the application has not begun yet']));
  const application =
    definition.create === undefined
      ? await NestFactory.createApplicationContext(root, options)
      : await definition.create(beginning);
  isRunning = true;
  return application;
}

/** For whoever looks for the reason why a process was killed for its size. */
function memoryOf({ RINGLEADER_MEMORY_MIB: mib }: CommonConfig): {
  readonly limitBytes: number | null;
  readonly heapBytesMax: number;
} {
  const limitBytes = memoryBytes({ [MEMORY_VARIABLE]: mib?.toString() });
  return { limitBytes, heapBytesMax: getHeapStatistics().heap_size_limit };
}

function startProbes(
  { RINGLEADER_PROBE_PORT: port, RINGLEADER_PROBE_HOST: host }: CommonConfig,
  health: Health,
  metrics: Registry,
): Promise<ProbeServer | null> {
  return port === undefined ? Promise.resolve(null) : startProbeServer({ host, port, health, metrics });
}

function addressOf(config: CommonConfig, { port }: ProbeServer): string {
  return hostAndPort(advertisedHost(config, config.RINGLEADER_PROBE_HOST), port);
}

function selfOf(service: Service, config: CommonConfig, address: string): Self {
  const { RINGLEADER_CLUSTER: cluster, RINGLEADER_MEMBER: id } = config;
  const startedAt = new Date(systemClock.wallMs()).toISOString();
  return { cluster, service, id, instance: randomUUID(), startedAt, address };
}
