import { join } from 'node:path';
import { type OpenedLog, openLogStorage } from '@ringleader/log-storage';
import type { CommandResult } from '@ringleader/mvcc';
import type { NatsLinks } from '@ringleader/nats';
import { defaultTimings } from '@ringleader/raft';
import { coordinatorMembers } from '../coordinator.config.js';
import type { CoordinatorConfig } from '../coordinator.config.js';
import type { CoordinatorLog } from './coordinator-raft.js';
import type { RaftEvents } from './raft-events.js';
import type { RaftNode } from './raft-node.js';
import { NatsRaftTransport } from './raft-transport.nats.js';
import { startRaftNode } from './start-raft-node.js';
import type { StoreStateMachine } from '../store/store-state-machine.js';

const RAFT_DIRECTORY = 'raft';

const logDirectory = (config: CoordinatorConfig): string => join(config.RINGLEADER_DATA_DIR, RAFT_DIRECTORY);

/** As RaftModule injects them. */
type RaftIngredients = [CoordinatorConfig, NatsLinks, StoreStateMachine, RaftEvents, CoordinatorLog];

/** Needs no NATS: a coordinator has started when its log is open. */
export async function openLog(config: CoordinatorConfig, events: RaftEvents): Promise<OpenedLog> {
  const log = await openLogStorage({ directory: logDirectory(config) });
  events.opened();
  return log;
}

/** This member of the Raft group, with the store as it was at the last snapshot. */
export function openRaftNode(...ingredients: RaftIngredients): Promise<RaftNode<CommandResult>> {
  const [config, { data }, stateMachine, events, log] = ingredients;
  const { RINGLEADER_COORDINATOR_ID: seat, RINGLEADER_CLUSTER: cluster } = config;
  return startRaftNode({
    cluster,
    seat,
    seats: coordinatorMembers(config),
    mayFound: config.RINGLEADER_BOOTSTRAP === 'new-cluster',
    log,
    directory: logDirectory(config),
    stateMachine,
    transport: new NatsRaftTransport(data, cluster, seat),
    onEvent: events.take,
    settings: {
      tickMs: config.RINGLEADER_RAFT_TICK_MS,
      timings: {
        ...defaultTimings,
        electionTimeoutTicks: config.RINGLEADER_RAFT_ELECTION_TICKS,
        heartbeatIntervalTicks: config.RINGLEADER_RAFT_HEARTBEAT_TICKS,
      },
      snapshotEveryEntries: config.RINGLEADER_RAFT_SNAPSHOT_ENTRIES,
      trailingEntries: config.RINGLEADER_RAFT_TRAILING_ENTRIES,
    },
  });
}
