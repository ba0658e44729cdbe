/** Puts a failure detector together and starts it. */
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { natsSettings } from '@ringleader/config';
import type { CoordinationClient } from '@ringleader/coordination';
import { connectNats } from '@ringleader/nats';
import { NestLogger, startProbeServer } from '@ringleader/observability';
import type { Logger, ProbeServer, Registry } from '@ringleader/observability';
import { AppModule } from './app.module.js';
import type { FailureDetectorConfig } from './failure-detector.config.js';
import { ReadinessService } from './health/readiness.service.js';
import { DetectionService } from './detection/detection.service.js';
import { MembershipService } from './membership/membership.service.js';
import { MemberListService } from './registry/member-list.service.js';
import { TelemetryTransport } from './telemetry/telemetry-transport.nats.js';
import { COORDINATOR, METRICS } from './tokens.js';
import { VerdictPublisherService } from './verdicts/verdict-publisher.service.js';

export interface RunningFailureDetector {
  /** host:port of the probes, '' without. */
  readonly address: string;
  stop(): Promise<void>;
}

export async function startFailureDetector(
  config: FailureDetectorConfig,
  logger: Logger,
): Promise<RunningFailureDetector> {
  const link = await connectNats({ ...natsSettings(config), name: config.RINGLEADER_MEMBER }, logger);
  const { connection } = link;
  const app = await NestFactory.createApplicationContext(AppModule.in({ config, logger, connection }), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const probes = await startProbes(app, config);
  const address = probes?.address ?? '';
  const transport = app.get(TelemetryTransport);
  const detection = app.get(DetectionService);
  transport.onHeartbeat((heartbeat) => detection.hear(heartbeat));
  transport.onReport((report) => detection.hearReport(report));
  app.get(MemberListService).start();
  app.get(VerdictPublisherService).start();
  app.get(MembershipService).start(address);
  logger.info({ probes: probes?.address }, 'Started');
  return {
    address,
    stop: async () => {
      app.get(VerdictPublisherService).stop();
      transport.close();
      app.get(MemberListService).stop();
      await app.get(MembershipService).stop();
      await app.get<CoordinationClient>(COORDINATOR).close();
      await app.close();
      await probes?.close();
      await link.close();
    },
  };
}

async function startProbes(
  app: INestApplicationContext,
  config: FailureDetectorConfig,
): Promise<ProbeServer | null> {
  if (config.RINGLEADER_PROBE_PORT === undefined) return null;
  return startProbeServer({
    host: config.RINGLEADER_PROBE_HOST,
    port: config.RINGLEADER_PROBE_PORT,
    readiness: () => app.get(ReadinessService).notReadyReasons(),
    metrics: app.get<Registry>(METRICS),
  });
}
