import { Module } from '@nestjs/common';
import { CompactionService } from './compaction/compaction.service.js';
import { LastingControlServer } from './control/lasting-control-server.js';
import { CoordinatorHealthService } from './health/coordinator-health.service.js';
import { CoordinatorMetrics } from './health/coordinator-metrics.js';
import { StatusController } from './health/status.controller.js';
import { LeaseKeeperService } from './leases/lease-keeper.service.js';
import { LeaseController } from './leases/lease.controller.js';
import { PlacementService } from './placement/placement.service.js';
import { StoreModule } from './store/store.module.js';

@Module({
  imports: [StoreModule],
  controllers: [LeaseController, StatusController],
  providers: [
    LastingControlServer,
    LeaseKeeperService,
    PlacementService,
    CompactionService,
    CoordinatorHealthService,
    CoordinatorMetrics,
  ],
})
export class AppModule {}
