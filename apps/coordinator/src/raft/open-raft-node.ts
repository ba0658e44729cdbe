import { join } from 'node:path';
import type { CommandResult } from '@ringleader/mvcc';
import type { NatsLinks } from '@ringleader/nats';
import type { Logger } from '@ringleader/observability';
import { defaultTimings } from '@ringleader/raft';
import type { HostSigns } from '@ringleader/service-host';
import { coordinatorMembers } from '../coordinator.config.js';
import type { CoordinatorConfig } from '../coordinator.config.js';
import type { RaftNodeEvent } from './raft-node-events.js';
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
  { logger, health }: HostSigns,
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
    onEvent: (event) => logRaftEvent(logger, event),
    onOpened: () => health.started(),
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

function logRaftEvent(logger: Logger, event: RaftNodeEvent): void {
  switch (event.kind) {
    case 'leaderChanged':
      return logger.info(
        { raft: event },
        event.leader === 0 ? 'The leader is not known' : 'There is a leader',
      );
    case 'candidacy':
      return logger.info({ raft: event }, 'Seeking election');
    case 'steppedDown':
      return logger.info({ raft: event }, 'Stepped down');
    case 'snapshotSending':
      return logger.info({ raft: event }, 'Sending a snapshot');
    case 'snapshotInstalled':
      return logger.info({ raft: event }, 'Installed a snapshot');
    case 'snapshotTaken':
      return logger.info({ raft: event }, 'Took a snapshot');
    case 'tornTailRepaired':
      return logger.warn({ raft: event }, 'Cut a torn tail off the log: nothing in it had been acknowledged');
    case 'foundersAwaited':
      return logger.info({ raft: event }, 'Founding a cluster: waiting for the other coordinators');
    case 'strangerRefused':
      return logger.warn({ raft: event }, 'Refused a coordinator that has lost its disk');
    case 'frameRefused':
      return logger.warn({ raft: event }, 'Refused a malformed Raft frame');
    case 'inboxFull':
      return logger.warn({ raft: event }, 'Dropped Raft messages: the inbox is full');
  }
}
