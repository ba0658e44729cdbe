import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { NatsLinks } from '@ringleader/nats';
import { FatalErrors } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { StoreStateMachine } from '../store/store-state-machine.js';
import { CoordinatorLog, CoordinatorRaft } from './coordinator-raft.js';
import { openLog, openRaftNode } from './open-raft-node.js';
import { RaftEvents } from './raft-events.js';

/** The log and the group, below the store. */
@Module({
  providers: [
    StoreStateMachine,
    RaftEvents,
    { provide: CoordinatorLog, useFactory: openLog, inject: [CoordinatorConfig, RaftEvents] },
    {
      provide: CoordinatorRaft,
      useFactory: openRaftNode,
      inject: [CoordinatorConfig, NatsLinks, StoreStateMachine, RaftEvents, CoordinatorLog],
    },
  ],
  exports: [StoreStateMachine, CoordinatorRaft],
})
export class RaftModule implements OnApplicationShutdown {
  constructor(
    private readonly raft: CoordinatorRaft,
    fatal: FatalErrors,
  ) {
    // A full disk, a failed fsync: it cannot go on.
    raft.stopped.catch(fatal.report);
  }

  /** When it has left the registry, which it may itself hold: hands over what it leads, closes the log. */
  async onApplicationShutdown(): Promise<void> {
    await this.raft.stop();
  }
}
