/**
 * The replica's half of a repair (docs/PROTOCOL.md 4.3.2): it names its position, its base and its keys past it, and
 * applies the answer in one transaction, or not at all. What does not fit becomes a copy.
 */
import type { Ballot, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { ShardContext } from '../context.js';
import {
  acknowledgeTo,
  commitHeard,
  followsLeader,
  hearLeader,
  leaveOtherBallot,
  unstampedEcho,
} from '../accept/acceptor.js';
import { beginCopy } from '../copy/receiver.js';
import { takeOver } from '../election/take-over.js';
import type { Delta, RepairOffer, ShardMessage } from '../messages.js';
import type { Replica } from '../partition/replica.js';
import type { Position } from '../records.js';
import type { CatchUp } from './catch-up.js';
import { listLiveKeys } from './key-listing.js';

interface Source {
  readonly source: ShardOrdinal;
  readonly ballot: Ballot;
  readonly commit: Revision;
  readonly purgedTo: Revision;
}

export function onRepairOffer(
  context: ShardContext,
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
  beginCatchUp(context, replica, { source: from, ballot, commit, purgedTo });
}

export function beginCatchUp(context: ShardContext, replica: Replica, source: Source): void {
  const { now } = context;
  const session: CatchUp = { ...source, request: null, requestedAt: now, progressedAt: now, keysEnd: null };
  replica.catchUp = session;
  context.wakeups.at(replica, now + context.timings.resendIntervalMs);
  const { position } = replica.record;
  const own = { position, commit: replica.commit, heard: Math.min(replica.heardCommit, position.revision) };
  const base = context.rules.repairBase(own, source.ballot);
  if (!context.rules.sourceStillHas(base, source.purgedTo, position.revision)) {
    beginCopy(context, replica, session);
    return;
  }
  listLiveKeys(context, replica, base, (listed) => {
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

/** Sends a request, when all that it states is durable, and repeats it until it is answered. */
export function ask(context: ShardContext, replica: Replica, session: CatchUp, request: ShardMessage): void {
  context.transactions.whenDurable(replica, () => {
    if (replica.catchUp !== session) return;
    session.request = request;
    session.requestedAt = context.now;
    session.progressedAt = context.now;
    context.outbox.send(session.source, request);
    context.wakeups.at(replica, context.now + context.timings.resendIntervalMs);
  });
}

/** The present session with this source and ballot, if the message belongs to one. */
export function sessionOf(replica: Replica, from: ShardOrdinal, ballot: Ballot): CatchUp | null {
  const session = replica.catchUp;
  return session !== null && session.source === from && session.ballot === ballot ? session : null;
}

/** The partition woke while it is brought up to date. */
export function catchUpDue(context: ShardContext, replica: Replica, session: CatchUp): void {
  const { resendIntervalMs } = context.timings;
  if (context.now >= session.progressedAt + context.pace.patienceMs) {
    // A leader offers again; a candidate gives up by itself.
    replica.catchUp = null;
    return;
  }
  const patience = 2 * resendIntervalMs;
  if (session.request !== null && context.now >= session.requestedAt + patience) {
    session.requestedAt = context.now;
    context.outbox.send(session.source, session.request);
  }
  context.wakeups.at(replica, context.now + resendIntervalMs);
}

export function onDelta(context: ShardContext, replica: Replica, from: ShardOrdinal, message: Delta): void {
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

export interface Installation {
  readonly session: CatchUp;
  readonly to: Position;
  readonly commit: Revision;
  readonly purgedTo: Revision;
  readonly dedupeFloor: number;
  readonly generation: number;
}

/** Rows of another history are in place: the record names it, in the same transaction (4.3.2, 4.3.6). */
export function installed(context: ShardContext, replica: Replica, installation: Installation): void {
  const { session, to, commit, purgedTo, dedupeFloor, generation } = installation;
  const { ballot } = session;
  const before = replica.record;
  replica.history += 1;
  replica.keyed.replaced(context.stamp());
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
  dropUnusedGenerations(context, replica, [before.generation, before.staging?.generation]);
  const { candidate } = replica;
  if (candidate !== null && candidate.ballot === ballot) {
    takeOver(context, replica, candidate, to);
    return;
  }
  hearLeader(context, replica, ballot);
  acknowledgeTo(context, replica, ballot, unstampedEcho(context, session.source));
}

/** Generations that the record names no more are deleted once that is durable. */
export function dropUnusedGenerations(
  context: ShardContext,
  replica: Replica,
  generations: readonly (number | undefined)[],
): void {
  const { generation, staging } = replica.record;
  const unused = generations.filter(
    (old): old is number => old !== undefined && old !== generation && old !== staging?.generation,
  );
  if (unused.length === 0) return;
  context.transactions.whenDurable(replica, () => {
    for (const old of unused) context.outbox.removeGeneration(replica.partition, old);
  });
}
