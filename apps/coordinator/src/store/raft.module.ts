import { join } from 'node:path';
import { type BeforeApplicationShutdown, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type OpenedLog, openLogStorage } from '@ringleader/log-storage';
import type { CommandResult } from '@ringleader/mvcc';
import { NatsLinks } from '@ringleader/nats';
import { defaultTimings } from '@ringleader/raft';
import { FatalErrors, ServiceLogger, StopBudget } from '@ringleader/service-host';
import { CoordinatorConfig, founderSeats } from '../coordinator.config.js';
import { StoreStateMachine } from './store-state-machine.js';
import { identityOf, type LogOwner } from '../raft/find-group.js';
import { handOver } from '../raft/hand-over.js';
import { RaftEvents } from '../raft/raft-events.js';
import { CoordinatorLog, CoordinatorRaft, type RaftNode } from '../raft/raft-node.js';
import { NatsRaftTransport } from '../raft/raft-transport.nats.js';
import { startRaftNode } from '../raft/start-raft-node.js';
import { refuseCorrupt } from '../upkeep/corruption-mark.js';

const RAFT_DIRECTORY = 'raft';

const logDirectory = (config: CoordinatorConfig): string => join(config.RINGLEADER_DATA_DIR, RAFT_DIRECTORY);

/** As RaftModule injects them. */
type RaftIngredients = [CoordinatorConfig, NatsLinks, StoreStateMachine, RaftEvents, CoordinatorLog];

function ownerOf(config: CoordinatorConfig): Omit<LogOwner, 'recovered'> {
  return {
    cluster: config.RINGLEADER_CLUSTER,
    seat: config.RINGLEADER_COORDINATOR_ID,
    seats: founderSeats(config),
    bootstrap: config.RINGLEADER_BOOTSTRAP ?? null,
    directory: logDirectory(config),
  };
}

/** Needs no NATS: a coordinator has started when its log is open, and is its own. */
async function openLog(config: CoordinatorConfig, events: RaftEvents): Promise<OpenedLog> {
  await refuseCorrupt(config.RINGLEADER_DATA_DIR);
  const log = await openLogStorage({ directory: logDirectory(config) });
  try {
    identityOf({ recovered: log.recovered, ...ownerOf(config) });
  } catch (error) {
    await log.storage.close();
    throw error;
  }
  events.opened();
  return log;
}

/** This member of the Raft group, with the store as it was at the last snapshot. */
function openRaftNode(...ingredients: RaftIngredients): Promise<RaftNode<CommandResult>> {
  const [config, { data }, stateMachine, events, log] = ingredients;
  const owner = ownerOf(config);
  const { RINGLEADER_RAFT_LEASE_DRIFT_PERCENT: leaseDrift } = config;
  return startRaftNode({
    ...owner,
    log,
    stateMachine,
    transport: new NatsRaftTransport(data, owner.cluster, owner.seat),
    onEvent: events.take,
    settings: {
      tickMs: config.RINGLEADER_RAFT_TICK_MS,
      timings: {
        ...defaultTimings,
        electionTimeoutTicks: config.RINGLEADER_RAFT_ELECTION_TICKS,
        heartbeatIntervalTicks: config.RINGLEADER_RAFT_HEARTBEAT_TICKS,
      },
      leaseDriftMax: leaseDrift === undefined ? null : leaseDrift / 100,
      snapshotEveryEntries: config.RINGLEADER_RAFT_SNAPSHOT_ENTRIES,
      trailingEntries: config.RINGLEADER_RAFT_TRAILING_ENTRIES,
    },
  });
}

/** The log and the group, below the store, which is the state machine that they replicate. */
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
export class RaftModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly raft: CoordinatorRaft,
    private readonly budget: StopBudget,
    private readonly logger: ServiceLogger,
    fatal: FatalErrors,
  ) {
    // A failed write or fsync: it cannot go on.
    raft.stopped.catch(fatal.report);
  }

  /** The first thing of all: nobody waits for a leader that is about to end. */
  async beforeApplicationShutdown(): Promise<void> {
    const { raft, budget, logger } = this;
    const startedAt = performance.now();
    if (!(await handOver(raft, budget.handOverMs))) return;
    const durationMs = Math.round(performance.now() - startedAt);
    logger.info(
      { leader: raft.status().leader, durationMs },
      'Handed over the leadership of the coordinators',
    );
  }

  /** When it has left the registry, which it may itself hold: closes the log, and hands over what it leads again by then. */
  async onApplicationShutdown(): Promise<void> {
    await this.raft.stop();
  }
}
