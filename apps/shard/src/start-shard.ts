import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { natsSettings } from '@ringleader/config';
import { CoordinationClient } from '@ringleader/coordination';
import { connectNats } from '@ringleader/nats';
import {
  createMetrics,
  type Logger,
  NestLogger,
  type ProbeServer,
  startProbeServer,
  systemClock,
} from '@ringleader/observability';
import { AppModule } from './app.module.js';
import { MembershipService } from './health/membership.service.js';
import { registerShardMetrics } from './health/shard-metrics.js';
import { ShardService } from './partitions/shard.service.js';
import type { ShardConfig } from './shard.config.js';

export interface RunningShard {
  /** Rejects when the process must end: its database was refused, or a second process of this shard was started. */
  readonly failed: Promise<never>;
  readonly service: ShardService;
  /** Gives up what it leads, leaves the registry, closes its database. */
  stop(): Promise<void>;
}

export async function startShard(config: ShardConfig, logger: Logger): Promise<RunningShard> {
  const link = await connectNats({ ...natsSettings(config), name: config.RINGLEADER_MEMBER }, logger);
  const { connection } = link;
  const { RINGLEADER_CLUSTER: cluster } = config;
  const coordination = new CoordinationClient({ connection, cluster, clock: systemClock });
  const surroundings = { config, logger, connection, coordination };
  const app = await NestFactory.createApplicationContext(AppModule.in(surroundings), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const service = app.get(ShardService);
  const probes = await startProbes(app, config);
  service.start();
  app.get(MembershipService).start(probes?.address ?? '');
  logger.info({ probes: probes?.address }, 'Started');
  return {
    failed: service.failed,
    service,
    stop: async () => {
      // The registry and the core are left side by side: neither waits for the other.
      await Promise.all([service.stop(), app.get(MembershipService).stop()]);
      await app.close();
      await probes?.close();
      await coordination.close();
      await link.close();
    },
  };
}

async function startProbes(app: INestApplicationContext, config: ShardConfig): Promise<ProbeServer | null> {
  if (config.RINGLEADER_PROBE_PORT === undefined) return null;
  const service = app.get(ShardService);
  const metrics = createMetrics({ service: 'shard', member: config.RINGLEADER_MEMBER });
  registerShardMetrics(metrics, service);
  return startProbeServer({
    host: config.RINGLEADER_PROBE_HOST,
    port: config.RINGLEADER_PROBE_PORT,
    readiness: () => service.notReadyReasons(),
    metrics,
  });
}
