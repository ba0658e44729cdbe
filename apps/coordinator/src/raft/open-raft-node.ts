import { join } from 'node:path';
import type { CommandResult } from '@ringleader/mvcc';
import type { NatsLinks } from '@ringleader/nats';
import { defaultTimings } from '@ringleader/raft';
import { coordinatorMembers } from '../coordinator.config.js';
import type { CoordinatorConfig } from '../coordinator.config.js';
import type { RaftEvents } from './raft-events.js';
import type { RaftNode } from './raft-node.js';
import { NatsRaftTransport } from './raft-transport.nats.js';
import { startRaftNode } from './start-raft-node.js';
import type { StoreStateMachine } from '../store/store-state-machine.js';

const RAFT_DIRECTORY = 'raft';

/** This member of the Raft group, with its log read and the store as it was at the last snapshot. */
export function openRaftNode(
  config: CoordinatorConfig,
  { data }: NatsLinks,
  stateMachine: StoreStateMachine,
  events: RaftEvents,
): Promise<RaftNode<CommandResult>> {
  const { RINGLEADER_COORDINATOR_ID: seat, RINGLEADER_CLUSTER: cluster } = config;
  return startRaftNode({
    cluster,
    seat,
    seats: coordinatorMembers(config),
    mayFound: config.RINGLEADER_BOOTSTRAP === 'new-cluster',
    directory: join(config.RINGLEADER_DATA_DIR, RAFT_DIRECTORY),
    stateMachine,
    transport: new NatsRaftTransport(data, cluster, seat),
    onEvent: events.take,
    onOpened: events.opened,
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
