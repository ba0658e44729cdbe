/** The one transaction at the end of a repair or a copy: rows of another history, and the record that names it. */
import type { Revision } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import {
  acknowledgeTo,
  commitHeard,
  dropUnusedGenerations,
  hearLeader,
  unstampedEcho,
  type AcceptorPort,
} from '../accept/acceptor.js';
import type { CatchUp } from '../partition/catch-up.js';
import { recall } from '../partition/recollections.js';
import type { Replica } from '../partition/replica.js';
import type { Position } from '../records.js';

export type InstallPort = AcceptorPort & Port<'rules' | 'stamp' | 'outbox' | 'transactions'>;

export interface Installation {
  readonly session: CatchUp;
  readonly to: Position;
  readonly commit: Revision;
  readonly purgedTo: Revision;
  readonly dedupeFloor: number;
  readonly generation: number;
}

/** Rows of another history are in place: the record names it, in the same transaction (4.3.2, 4.3.6). */
export function installed(context: InstallPort, replica: Replica, installation: Installation): void {
  const { session, to, commit, purgedTo, dedupeFloor, generation } = installation;
  const { ballot } = session;
  const before = replica.record;
  replica.history += 1;
  replica.keyed.replaced(context.stamp(), to.revision);
  replica.advanceCommit(Math.max(commit, commitHeard(context, replica, to)), to.revision);
  replica.catchUp = null;
  context.transactions.setRecord(replica, {
    ...before,
    promised: Math.max(ballot, before.promised),
    position: to,
    commitBound: replica.commit,
    purgedTo,
    dedupeFloor,
    generation,
    staging: null,
  });
  if (session.remembered !== null) recall(context, replica, session.remembered);
  dropUnusedGenerations(context, replica, [before.generation, before.staging?.generation]);
  if (session.whenInstalled !== null) {
    session.whenInstalled(to);
    return;
  }
  hearLeader(context, replica, ballot);
  acknowledgeTo(context, replica, ballot, unstampedEcho(context, session.source));
}
