/**
 * The replica's half of a repair (docs/PROTOCOL.md 4.3.2): it names its position, its base and its keys past it, and
 * applies the answer in one transaction, or not at all. What does not fit becomes a copy.
 */
import type { Ballot, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { followsLeader, hearLeader, leaveOtherBallot, type AcceptorPort } from '../accept/acceptor.js';
import type { Delta, RepairOffer } from '../messages.js';
import type { CatchUp } from '../partition/catch-up.js';
import type { Replica } from '../partition/replica.js';
import { beginCopy, type CopyPort } from './copy-receiver.js';
import { installed, type InstallPort } from './install.js';
import { listLiveKeys, type ListingPort } from './key-listing.js';
import { ask, sessionOf, type SessionPort } from './session.js';

export type RepairPort = AcceptorPort &
  CopyPort &
  InstallPort &
  ListingPort &
  SessionPort &
  Port<'now' | 'timings' | 'limits' | 'rules' | 'outbox' | 'transactions' | 'wakeups'>;

interface Source {
  readonly source: ShardOrdinal;
  readonly ballot: Ballot;
  readonly commit: Revision;
  readonly purgedTo: Revision;
  readonly whenInstalled: CatchUp['whenInstalled'];
}

export function onRepairOffer(
  context: RepairPort,
  replica: Replica,
  from: ShardOrdinal,
  message: RepairOffer,
): void {
  if (!followsLeader(context, replica, from, message)) return;
  hearLeader(context, replica, message.ballot);
  const { ballot, commit, purgedTo } = message;
  replica.heardCommit = Math.max(replica.heardCommit, commit);
  const present = replica.catchUp;
  if (present !== null && present.source === from && present.ballot === ballot) return;
  leaveOtherBallot(context, replica, ballot);
  beginCatchUp(context, replica, { source: from, ballot, commit, purgedTo, whenInstalled: null });
}

export function beginCatchUp(context: RepairPort, replica: Replica, source: Source): void {
  const { now } = context;
  const session: CatchUp = {
    ...source,
    request: null,
    isListing: false,
    requestedAt: now,
    progressedAt: now,
    remembered: null,
  };
  replica.catchUp = session;
  context.wakeups.at(replica, now + context.timings.resendIntervalMs);
  const { position } = replica.record;
  const own = { position, commit: replica.commit, heard: Math.min(replica.heardCommit, position.revision) };
  const base = context.rules.repairBase(own, source.ballot);
  if (!context.rules.sourceStillHas(base, source.purgedTo, position.revision)) {
    beginCopy(context, replica, session);
    return;
  }
  listLiveKeys(context, replica, { session, base }, (listed) => {
    if (replica.catchUp !== session) return;
    if (listed.end !== null || listed.keys.length > context.limits.repairRowsMax) {
      beginCopy(context, replica, session);
      return;
    }
    ask(context, replica, session, {
      kind: 'deltaRequest',
      partition: replica.partition,
      epoch: replica.record.epoch,
      ballot: session.ballot,
      position: listed.position,
      base,
      keys: context.rules.keysToUndo(listed.keys),
    });
  });
}

export function onDelta(context: RepairPort, replica: Replica, from: ShardOrdinal, message: Delta): void {
  const { rules, transactions } = context;
  const { record } = replica;
  const session = sessionOf(replica, from, message.ballot);
  if (session === null || !rules.mayAccept(message.ballot, record.promised)) return;
  if (!rules.deltaApplies(record.position, message.from, message.to)) {
    replica.catchUp = null;
    return;
  }
  leaveOtherBallot(context, replica, message.ballot);
  for (const row of message.rows) transactions.upsert(replica, record.generation, row);
  for (const key of message.absent) transactions.remove(replica, record.generation, key);
  const told = Math.min(message.commit, message.to.revision);
  installed(context, replica, {
    session,
    to: message.to,
    commit: rules.commitAfterInstall(replica.commit, told),
    purgedTo: Math.max(record.purgedTo, message.purgedTo),
    dedupeFloor: Math.max(record.dedupeFloor, message.dedupeFloor),
    generation: record.generation,
  });
  const requested = session.request;
  const base = requested?.kind === 'deltaRequest' ? requested.base : message.from.revision;
  replica.recent.reset(base, message.rows);
  const { partition } = replica;
  const { revision } = message.to;
  context.outbox.event({ kind: 'repaired', partition, revision, rows: message.rows.length });
}
