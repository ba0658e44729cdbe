import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import type { NatsLinks } from '@ringleader/nats';
import { systemClock } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { CompactionService } from './compaction/compaction.service.js';
import type { CoordinatorConfig } from './coordinator.config.js';
import { StatusController } from './health/status.controller.js';
import { LeaseKeeperService } from './leases/lease-keeper.service.js';
import { LeaseController } from './leases/lease.controller.js';
import { MembershipService } from './membership/membership.service.js';
import { PlacementService } from './placement/placement.service.js';
import { openRaftNode } from './raft-provider.js';
import { RangeService } from './store/range.service.js';
import { ReplicatedStore } from './store/replicated-store.service.js';
import { StoreStateMachine } from './store/store-state-machine.js';
import { StoreController } from './store/store.controller.js';
import { TxnService } from './store/txn.service.js';
import { WatchService } from './store/watch.service.js';
import { CLOCK, CONFIG, LOGGER, NATS, RAFT } from './tokens.js';

export interface Surroundings {
  readonly config: CoordinatorConfig;
  readonly logger: Logger;
  readonly links: NatsLinks;
}

@Module({})
export class AppModule {
  static in({ config, logger, links }: Surroundings): DynamicModule {
    return {
      module: AppModule,
      controllers: [StoreController, LeaseController, StatusController],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: NATS, useValue: links },
        { provide: CLOCK, useValue: systemClock },
        { provide: RAFT, useFactory: openRaftNode, inject: [CONFIG, NATS, StoreStateMachine, LOGGER] },
        StoreStateMachine,
        ReplicatedStore,
        RangeService,
        TxnService,
        WatchService,
        LeaseKeeperService,
        PlacementService,
        CompactionService,
        MembershipService,
      ],
    };
  }
}
