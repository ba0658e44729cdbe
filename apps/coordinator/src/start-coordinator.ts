import { NestFactory } from '@nestjs/core';
import type { INestMicroservice } from '@nestjs/common';
import type { CommandResult } from '@ringleader/mvcc';
import { ControlServer, connectNatsLinks, memberNatsOptions } from '@ringleader/nats';
import { NestLogger, createMetrics, startProbeServer } from '@ringleader/observability';
import type { Logger, ProbeServer } from '@ringleader/observability';
import { AppModule } from './app.module.js';
import { CompactionService } from './compaction/compaction.service.js';
import type { CoordinatorConfig } from './coordinator.config.js';
import { registerCoordinatorMetrics } from './health/coordinator-metrics.js';
import { notReadyReasons } from './health/readiness.js';
import { LeaseKeeperService } from './leases/lease-keeper.service.js';
import { MembershipService } from './membership/membership.service.js';
import { PlacementService } from './placement/placement.service.js';
import type { RaftNode } from './raft/raft-node.js';
import { ReplicatedStore } from './store/replicated-store.service.js';
import { WatchService } from './store/watch.service.js';
import { RAFT } from './tokens.js';

export interface RunningCoordinator {
  /** Rejects when this member cannot go on (a full disk, a failed fsync); resolves after `stop`. */
  readonly stopped: Promise<void>;
  /** Hands over what it leads, leaves the registry, closes the log. */
  stop(): Promise<void>;
}

export async function startCoordinator(
  config: CoordinatorConfig,
  logger: Logger,
): Promise<RunningCoordinator> {
  const links = await connectNatsLinks(memberNatsOptions(config, 'coordinator'), logger);
  const server = new ControlServer({
    link: links.control,
    cluster: config.RINGLEADER_CLUSTER,
    member: config.RINGLEADER_COORDINATOR_ID,
    onUnexpectedError: (operation, error) => logger.error({ operation, error }, 'A handler failed'),
  });
  const app = await NestFactory.createMicroservice(AppModule.in({ config, logger, links }), {
    strategy: server,
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const raft = app.get<RaftNode<CommandResult>>(RAFT);
  await app.listen();
  app.get(LeaseKeeperService).start();
  app.get(PlacementService).start();
  app.get(CompactionService).start();
  const probes = await startProbes(app, config);
  app.get(MembershipService).start(probes?.address ?? '');
  logger.info({ probes: probes?.address }, 'Started');
  return {
    stopped: raft.stopped,
    stop: async () => {
      app.get(PlacementService).stop();
      await app.get(MembershipService).stop();
      app.get(LeaseKeeperService).stop();
      app.get(WatchService).stop();
      await raft.stop();
      await app.close();
      await probes?.close();
      await links.close();
    },
  };
}

async function startProbes(app: INestMicroservice, config: CoordinatorConfig): Promise<ProbeServer | null> {
  if (config.RINGLEADER_PROBE_PORT === undefined) return null;
  const metrics = createMetrics({ service: 'coordinator', member: config.RINGLEADER_MEMBER });
  const store = app.get(ReplicatedStore);
  registerCoordinatorMetrics(metrics, store, app.get(WatchService));
  return startProbeServer({
    host: config.RINGLEADER_PROBE_HOST,
    port: config.RINGLEADER_PROBE_PORT,
    readiness: () => notReadyReasons(store.status()),
    metrics,
  });
}
