/** What needs the newest row of a key at its leader: linearizable reads, and writes (docs/PROTOCOL.md 4.5.1, 4.6.3). */
import { hasRoom } from '../accept/commit.js';
import type { Port } from '../parts.js';
import type { KeyRequest, Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { ReadRequest, ShardReply } from '../requests.js';
import { isLive } from '../writes/conditions.js';
import { abandonRequest, type StepDownPort } from '../leadership/step-down.js';
import { awaitCommit, decideWrite, expireIfDue, type WritePort } from '../writes/decide.js';
import type { CacheEntry } from '../partition/row-cache.js';

export type RowPort = StepDownPort & WritePort & Port<'reads' | 'cache'>;

/**
 * Brings the newest row of the request's key: from memory, or by one storage read that all requests for the key share.
 * They are decided in order of arrival, so no write overtakes a read of its key. A write asks nothing of a long value, so
 * it is not read for one.
 */
export function withNewestRow(context: RowPort, replica: Replica, leader: Leader, request: KeyRequest): void {
  const key = request.kind === 'write' ? request.operation.key : request.key;
  const waiting = leader.reading.size === 0 ? undefined : leader.reading.get(key);
  if (waiting !== undefined) {
    waiting.push(request);
    return;
  }
  const entry = context.cache.get(leader, key);
  if (entry !== undefined && (request.kind === 'write' || !entry.isBare)) {
    run(context, replica, leader, { request, entry });
    return;
  }
  const { generation } = replica.record;
  if (entry === undefined && !replica.keysOf(generation).mayHave(key)) {
    run(context, replica, leader, { request, entry: context.cache.addRead(replica, leader, key, null) });
    return;
  }
  leader.reading.set(key, [request]);
  const valueBytesMax =
    request.kind === 'write' ? context.limits.valueBytesBeforeWrites : Number.POSITIVE_INFINITY;
  const { partition } = replica;
  context.reads.row({ partition, generation, key, valueBytesMax }, (row) => {
    // After a step-down all who waited were answered.
    if (replica.role !== leader) return;
    const requests = leader.reading.get(key) ?? [];
    leader.reading.delete(key);
    context.cache.addRead(replica, leader, key, row);
    for (const each of requests) withNewestRow(context, replica, leader, each);
  });
}

function run(
  context: RowPort,
  replica: Replica,
  leader: Leader,
  { request, entry }: { request: KeyRequest; entry: CacheEntry },
): void {
  if (request.kind === 'write') {
    if (hasRoom(context, replica, leader)) decideWrite(context, replica, leader, { request, entry });
    else if (mayAwaitRoom(context, leader)) awaitRoom(context, replica, leader, request);
    else context.admission.answer(request, { kind: 'overloaded', token: request.token });
    return;
  }
  const expiry = expireIfDue(context, replica, leader, entry);
  if (expiry === 'handover') {
    abandonRequest(context, replica, request);
  } else if (expiry === 'noRoom') {
    awaitRoom(context, replica, leader, request);
  } else if (request.kind === 'read') {
    readFromLeader(context, replica, leader, { request, entry });
  } else {
    request.checked(isLive(entry.row) ? entry.row : null);
  }
}

/** A partition that commits nothing must not use up what the shard admits. */
function mayAwaitRoom({ limits }: RowPort, leader: Leader): boolean {
  return leader.awaitingRoom.length < limits.inFlightRevisionsMax;
}

function awaitRoom(context: RowPort, replica: Replica, leader: Leader, request: KeyRequest): void {
  const again = (): void => withNewestRow(context, replica, leader, request);
  leader.awaitingRoom.push({ request, again });
}

/** 4.5.1: when the row is committed at this ballot, the lease is checked. Absent is a row like any other. */
function readFromLeader(
  context: RowPort,
  replica: Replica,
  leader: Leader,
  { request, entry }: { request: ReadRequest; entry: CacheEntry },
): void {
  const { row } = entry;
  const { token } = request;
  const reply: ShardReply = { kind: 'row', token, row: isLive(row) ? row : null, stalenessMs: 0 };
  const revision = row?.revision ?? 0;
  awaitCommit(context, replica, leader, { request, revision, reply, needsLeadership: true });
}
