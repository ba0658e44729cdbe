import type { OpenedLog } from '@ringleader/log-storage';
import type { CommandResult } from '@ringleader/mvcc';
import { injectable } from '@ringleader/service-host';
import type { RaftNode } from './raft-node.js';

/** Its log, as read at the start. */
export abstract class CoordinatorLog extends injectable<OpenedLog>() {}

/** This member of the coordinators' group. */
export abstract class CoordinatorRaft extends injectable<RaftNode<CommandResult>>() {}
