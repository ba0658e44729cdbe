import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ControlServer, NatsLink } from '@ringleader/nats';
import { ServiceLogger } from '@ringleader/service-host';
import { CompactionService } from './compaction/compaction.service.js';
import { CoordinatorConfig } from './coordinator.config.js';
import {
  CoordinatorHealthService,
  CoordinatorMetrics,
  CoordinatorReadiness,
  StatusController,
} from './health/coordinator-health.js';
import { IncidentsController } from './incidents/incidents.controller.js';
import { IncidentsService } from './incidents/incidents.service.js';
import { LeaseController } from './leases/lease.controller.js';
import { MembersController } from './members/members.controller.js';
import { PlacementController } from './placement/placement.controller.js';
import { PlacementMetrics } from './placement/placement-metrics.js';
import { PlacementService } from './placement/placement.service.js';
import { StoreModule } from './store/store.module.js';
import { ComparisonService } from './upkeep/comparison.service.js';
import { CorruptionAlarms } from './upkeep/corruption-alarms.js';
import { StoreGuard, StoreGuardMetrics } from './upkeep/store-guard.js';
import { SnapshotSessions } from './upkeep/snapshot-sessions.js';
import { UpkeepController } from './upkeep/upkeep.controller.js';
import { VerdictMetrics, VerdictsService } from './verdicts/verdicts.service.js';
import { VoteController } from './verdicts/vote.controller.js';
import { VerificationController } from './verification/verification.controller.js';
import { VerificationService } from './verification/verification.service.js';
import { WatchModule } from './watches/watch.module.js';

/**
 * NestJS closes the transport of a microservice before anything else. A coordinator is asked until it has left the
 * registry, which is in the coordinators, and perhaps in nobody but itself.
 */
@Injectable()
export class LastingControlServer extends ControlServer implements OnApplicationShutdown {
  constructor(config: CoordinatorConfig, link: NatsLink, logger: ServiceLogger) {
    super({
      link,
      cluster: config.RINGLEADER_CLUSTER,
      member: config.RINGLEADER_COORDINATOR_ID,
      onUnexpectedError: (operation, error) => logger.error({ operation, error }, 'A handler failed'),
    });
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  onApplicationShutdown(): Promise<void> {
    return super.close();
  }
}

@Module({
  imports: [StoreModule, WatchModule],
  controllers: [
    PlacementController,
    LeaseController,
    StatusController,
    MembersController,
    UpkeepController,
    IncidentsController,
    VerificationController,
    VoteController,
  ],
  providers: [
    LastingControlServer,
    PlacementService,
    PlacementMetrics,
    IncidentsService,
    VerificationService,
    VerdictsService,
    VerdictMetrics,
    CompactionService,
    ComparisonService,
    SnapshotSessions,
    CorruptionAlarms,
    StoreGuard,
    StoreGuardMetrics,
    CoordinatorHealthService,
    CoordinatorReadiness,
    CoordinatorMetrics,
  ],
})
export class AppModule {}
