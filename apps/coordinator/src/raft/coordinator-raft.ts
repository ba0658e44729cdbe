import type { CommandResult } from '@ringleader/mvcc';
import { injectable } from '@ringleader/service-host';
import type { RaftNode } from './raft-node.js';

/** This member of the coordinators' group. */
export abstract class CoordinatorRaft extends injectable<RaftNode<CommandResult>>() {}
