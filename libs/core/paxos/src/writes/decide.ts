/** A write at its leader, once the newest row of its key is at hand (docs/PROTOCOL.md 4.7). */
import { HYBRID_UNITS_PER_MS, type HybridTime } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { propose, type BatchPort } from '../accept/batch-sender.js';
import { hasRoom, type CommitPort } from '../accept/commit.js';
import { settle, type Waiter } from '../partition/waiters.js';
import { answerAsLeader, type LeasePort } from '../leadership/lease.js';
import { notLeader } from '../leadership/step-down.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { RequestMark, Row } from '../records.js';
import { PackedMarks } from '../request-marks.js';
import { isKeyed, type ShardReply, type WriteRequest } from '../requests.js';
import { keyedWindowMs } from '../partition/keyed-requests.js';
import { conditionsHold, isLive } from './conditions.js';
import type { FailedRequest } from '../partition/failed-requests.js';
import { expiredRow, nextRow } from './next-row.js';
import type { CacheEntry } from '../partition/row-cache.js';

export type WritePort = BatchPort &
  CommitPort &
  LeasePort &
  Port<'now' | 'timings' | 'rules' | 'stamp' | 'admission' | 'cache'>;

export function decideWrite(
  context: WritePort,
  replica: Replica,
  leader: Leader,
  { request, entry }: { request: WriteRequest; entry: CacheEntry },
): void {
  const { rules, admission } = context;
  const { token } = request;
  const known = answerKnown(context, replica, leader, { request, entry });
  if (known !== null) {
    if (known.kind === 'waiter') awaitCommit(context, replica, leader, known.waiter);
    else admission.answer(request, known.reply);
    return;
  }
  if (leader.handover !== null) {
    // As whatever arrives from now on: it is repeated where somebody leads next.
    admission.answer(request, notLeader(replica, request));
    return;
  }
  if (context.now > request.deadline || !hasRoom(context, replica, leader)) {
    admission.answer(request, { kind: 'overloaded', token });
    return;
  }
  // The tombstone of an expired row may take the last room.
  if (expireIfDue(context, replica, leader, entry) === 'written' && !hasRoom(context, replica, leader)) {
    admission.answer(request, { kind: 'overloaded', token });
    return;
  }
  const settled = isCommitted(replica, entry.row) ? entry.row : entry.settled;
  const failed = failureOf(request, rules.rowToDecideOn(entry.row, settled));
  if (failed !== null) {
    leader.failed.remember(request.requestId, failed);
    awaitCommit(context, replica, leader, waiterOfFailure(context, request, failed));
    return;
  }
  write(context, replica, leader, { request, entry });
}

type Known =
  | { readonly kind: 'waiter'; readonly waiter: Waiter }
  | { readonly kind: 'reply'; readonly reply: ShardReply };

/** 4.7.3, 4.7.4: was this request decided before, or can that not be told any more? */
function answerKnown(
  context: WritePort,
  replica: Replica,
  leader: Leader,
  { request, entry }: { request: WriteRequest; entry: CacheEntry },
): Known | null {
  const { rules } = context;
  const { row } = entry;
  const mark = markOf(context, replica, { request, row });
  if (mark !== undefined) {
    const revision = rules.repeatAwaits(mark.revision);
    const reply = replyOfMark(request, row, mark);
    return { kind: 'waiter', waiter: { request, revision, reply, needsLeadership: false } };
  }
  if (isTooFarAhead(context, request) || isForgotten(context, replica, { request, row })) {
    return outcomeUnknown(request);
  }
  if (!rules.remembersFailures()) return null;
  const failed = leader.failed.get(request.requestId);
  if (failed !== undefined) {
    const waiter = waiterOfFailure(context, request, failed);
    return { kind: 'waiter', waiter: { ...waiter, needsLeadership: rules.toldAwaitsLease() } };
  }
  const compared = rules.comparedWithFailFloor(earliestAttempt(context, request), request.origin);
  const floor = leader.failed.floorOf(request.requestId, request.operation.key);
  return canFail(request) && compared <= floor ? outcomeUnknown(request) : null;
}

function outcomeUnknown({ token }: WriteRequest): Known {
  return { kind: 'reply', reply: { kind: 'outcomeUnknown', token } };
}

function earliestAttempt(context: WritePort, { requestId, origin }: WriteRequest): HybridTime {
  return context.rules.earliestAttempt(requestId, origin, keyedWindowMs(context));
}

/** 4.7.6: a gateway's clock that is further off than S would make a repeat look new. */
function isTooFarAhead(context: WritePort, { requestId, origin }: WriteRequest): boolean {
  const aheadMax = context.timings.clocksDifferMs * HYBRID_UNITS_PER_MS;
  return isKeyed(requestId) && origin > context.stamp() + aheadMax;
}

interface Asked {
  readonly request: WriteRequest;
  readonly row: Row | null;
}

function markOf(context: WritePort, replica: Replica, { request, row }: Asked): RequestMark | undefined {
  const { requestId } = request;
  if (row !== null) {
    const mark = PackedMarks.of(row.requests).find(requestId);
    if (mark !== undefined) return mark;
  } else if (!context.rules.recallsWithoutRow()) {
    return undefined;
  }
  return isKeyed(requestId) ? context.rules.recalled(replica.keyed.get(requestId)) : undefined;
}

/** Neither the row nor, for a keyed write, this replica's own memory reaches back to the first attempt. */
function isForgotten(context: WritePort, replica: Replica, { request, row }: Asked): boolean {
  const { requestId } = request;
  const rowFloor = row?.requestFloor ?? replica.record.dedupeFloor;
  const { key } = request.operation;
  const floor = isKeyed(requestId) ? Math.min(rowFloor, replica.keyed.floorOf(key)) : rowFloor;
  return context.rules.isForgotten(earliestAttempt(context, request), floor);
}

function canFail({ operation }: WriteRequest): boolean {
  return operation.kind === 'delete' || operation.conditions.length > 0;
}

/**
 * The first answer again. Revision and version are the first's; the times are those of the present row, which is the
 * same write unless the key was written since; where that was purged, when the write was first attempted.
 */
function replyOfMark(request: WriteRequest, row: Row | null, mark: RequestMark): ShardReply {
  const { revision, version, origin } = mark;
  const { createdAt, modifiedAt } = row ?? { createdAt: origin, modifiedAt: origin };
  return {
    kind: 'written',
    token: request.token,
    revision,
    version,
    created: version === 1,
    createdAt,
    modifiedAt,
  };
}

/** 4.7.1. A delete has the silent condition that there is something to delete. */
function failureOf(request: WriteRequest, row: Row | null): FailedRequest | null {
  const { operation, origin } = request;
  const { key } = operation;
  const live = isLive(row);
  const decidedOn = row?.revision ?? 0;
  const present = { revision: live ? row.revision : 0, version: live ? row.version : 0 };
  if (!conditionsHold(row, operation.conditions)) {
    return { kind: 'conditionFailed', key, origin, decidedOn, ...present };
  }
  if (operation.kind === 'delete' && !live) return { kind: 'absent', key, origin, decidedOn, ...present };
  return null;
}

function waiterOfFailure(context: WritePort, request: WriteRequest, failed: FailedRequest): Waiter {
  const { rules } = context;
  const { token } = request;
  const { revision, version } = failed;
  const reply: ShardReply =
    failed.kind === 'absent'
      ? { kind: 'absent', token }
      : { kind: 'conditionFailed', token, revision, version };
  return { request, revision: rules.failureAwaits(failed.decidedOn), reply, needsLeadership: true };
}

/** Answers when the revision is committed; at once where it is. */
export function awaitCommit(context: WritePort, replica: Replica, leader: Leader, waiter: Waiter): void {
  const isFailure = waiter.reply.kind === 'conditionFailed' || waiter.reply.kind === 'absent';
  const awaitsBarrier = isFailure && context.rules.failureAwaitsBarrier() && !leader.barrierCommitted;
  if (waiter.revision > replica.commit) leader.waiters.add(waiter);
  else if (awaitsBarrier) leader.barrierWaiters.push(waiter);
  else if (waiter.needsLeadership) answerAsLeader(context, replica, leader, waiter);
  else settle(context.admission, waiter);
}

export function isCommitted(replica: Replica, row: Row | null): boolean {
  return row === null || row.revision <= replica.commit;
}

/** `noRoom`, `handover`: the row has expired, and its tombstone cannot be decided now. */
export type Expiry = 'notDue' | 'written' | 'noRoom' | 'handover';

/**
 * 4.6.3: whoever meets an expired row has its tombstone decided first, as a write of the leader like any other: no clock
 * hides a row, and back-pressure and handover hold for it too.
 */
export function expireIfDue(context: WritePort, replica: Replica, leader: Leader, entry: CacheEntry): Expiry {
  const { row } = entry;
  if (!isLive(row) || row.expiresAt === null) return 'notDue';
  const at = context.stamp();
  if (row.expiresAt > at) return 'notDue';
  const handingOver = leader.handover !== null;
  if (!context.rules.expiryMayBeDecided(hasRoom(context, replica, leader), handingOver)) {
    return handingOver ? 'handover' : 'noRoom';
  }
  const requests = context.rules.marksOfExpired(row.requests);
  put(context, replica, leader, {
    entry,
    row: expiredRow({ ...row, requests }, { revision: leader.lastRevision + 1, at }),
  });
  return 'written';
}

function write(
  context: WritePort,
  replica: Replica,
  leader: Leader,
  { request, entry }: { request: WriteRequest; entry: CacheEntry },
): void {
  const { operation } = request;
  const row = nextRow(entry.row, request, {
    // Batches stay for a while: not with the whole frame that brought the value.
    value: operation.kind === 'put' ? context.cache.holdValue(operation.value) : null,
    revision: leader.lastRevision + 1,
    at: context.stamp(),
    dedupeFloor: replica.record.dedupeFloor,
    marksMax: context.rules.marksPerRow(),
  });
  put(context, replica, leader, { entry, row });
  const { revision, version, createdAt, modifiedAt } = row;
  const { token } = request;
  const created = version === 1;
  const reply: ShardReply = { kind: 'written', token, revision, version, created, createdAt, modifiedAt };
  leader.waiters.add({ request, revision, reply, needsLeadership: false });
}

function put(
  context: WritePort,
  replica: Replica,
  leader: Leader,
  { entry, row }: { entry: CacheEntry; row: Row },
): void {
  const settled = isCommitted(replica, entry.row) ? entry.row : entry.settled;
  // 4.7.6: a leader also remembers what the rows that it decides on tell.
  if (entry.row !== null) replica.keyed.addAll(entry.row, entry.row.revision);
  replica.keyed.addAll(row, row.revision - 1);
  context.cache.write(entry, row, settled);
  propose(context, replica, leader, row);
}
