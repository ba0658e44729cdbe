/**
 * The leader's batches (docs/PROTOCOL.md 4.2.1): sent to the peers at once, in parallel to its own transaction. With
 * nothing in flight a write goes out at once; what arrives meanwhile shares the next batch.
 */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { Accept } from '../messages.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { Row } from '../records.js';
import { isFull, type BacklogPort } from '../pair/backlog.js';
import { onMoreDurable, type CommitPort } from './commit.js';
import { hidesKeyedWrite, rowBytes, type OpenBatch, type SentBatch } from '../partition/batches.js';
import { NewestByKey } from '../partition/newest-by-key.js';

/** So many small batches, at least, have room beside what is large. */
const SMALL_BATCHES = 16;

export type BatchPort = BacklogPort &
  CommitPort &
  Port<'now' | 'limits' | 'timings' | 'accepts' | 'transactions' | 'peers' | 'wakeups' | 'flushes'>;

/** Puts a row, which carries the next revision, into the batch that is gathered. */
export function propose(context: BatchPort, replica: Replica, leader: Leader, row: Row): void {
  const { batchRowsMax, batchBytesMax } = context.limits;
  const bytes = rowBytes(row);
  let batch = leader.open.at(-1);
  const fits = batch !== undefined && batch.rows.size < batchRowsMax && batch.bytes + bytes <= batchBytesMax;
  if (batch === undefined || !fits || hides(context, batch, row)) {
    batch = { rows: new NewestByKey(), after: leader.lastRevision, lastRevision: 0, bytes: 0 };
    leader.open.push(batch);
  }
  // A key that is written again moves to the end, so that the rows of a batch stay in order of revision.
  batch.rows.put(row);
  batch.bytes += bytes;
  batch.lastRevision = row.revision;
  leader.lastRevision = row.revision;
  leader.bytesInFlight += bytes;
  context.flushes.add(replica);
}

function hides(context: BatchPort, batch: OpenBatch, row: Row): boolean {
  return !context.rules.mayHideKeyedWrite() && hidesKeyedWrite(batch, row);
}

/** 4.1.6: the first batch has no rows; it moves replicas at exactly the adopted position to the new ballot. */
export function sendBarrier(context: BatchPort, replica: Replica, leader: Leader): void {
  const { ballot, adopted, beginsAt: revision } = leader;
  const previous = { ballot: adopted.ballot, revision };
  const next = { ballot, revision };
  leader.retained.add({ previous, next, rows: [], bytes: 0, message: null });
  streamToAll(context, replica, leader);
  context.wakeups.at(replica, context.now + context.timings.resendIntervalMs);
}

/** Before each `Ready`: sends what was gathered, as far as what is in flight allows. */
export function flushBatches(context: BatchPort, replica: Replica, leader: Leader): void {
  for (;;) {
    const batch = leader.open[0];
    const idle = replica.record.position.revision <= replica.commit;
    if (batch === undefined || (leader.open.length === 1 && !idle)) return;
    if (isTransactionFull(context, batch)) {
      context.flushes.add(replica);
      return;
    }
    leader.open.shift();
    sendBatch(context, replica, leader, batch);
  }
}

/** Small batches pass by the large ones that wait for the next. */
function isTransactionFull({ transactions, limits }: BatchPort, { bytes }: OpenBatch): boolean {
  const { rowsGathered, bytesGathered } = transactions;
  const { batchRowsMax, transactionBytesMax } = limits;
  const bytesMax =
    bytes * SMALL_BATCHES < transactionBytesMax ? 2 * transactionBytesMax : transactionBytesMax;
  return rowsGathered >= batchRowsMax * 4 || bytesGathered >= bytesMax;
}

function sendBatch(context: BatchPort, replica: Replica, leader: Leader, open: OpenBatch): void {
  const { record } = replica;
  const rows = open.rows.all();
  const next = { ballot: leader.ballot, revision: open.lastRevision };
  leader.retained.add({ previous: record.position, next, rows, bytes: open.bytes, message: null });
  context.transactions.setRecord(replica, { ...record, position: next, commitBound: replica.commit });
  for (const row of rows) {
    context.transactions.upsert(replica, record.generation, row);
    replica.recent.add(row);
  }
  replica.recent.trim();
  context.transactions.whenDurable(replica, () => {
    if (replica.role !== leader) return;
    leader.durableRevision = Math.max(leader.durableRevision, next.revision);
    onMoreDurable(context, replica, leader);
  });
  streamToAll(context, replica, leader);
  context.wakeups.at(replica, context.now + context.timings.resendIntervalMs);
}

function streamToAll(context: BatchPort, replica: Replica, leader: Leader): void {
  for (const peer of replica.peers) {
    const progress = leader.progressOf(peer);
    if (!progress.behind && context.peers.isAlive(peer, context.now)) {
      streamTo(context, replica, leader, peer);
    }
  }
}

/** Sends all batches after the last one sent. False when they are no longer here: then only a repair will do. */
export function streamTo(context: BatchPort, replica: Replica, leader: Leader, peer: ShardOrdinal): boolean {
  const progress = leader.progressOf(peer);
  const { retained } = leader;
  const from =
    progress.streamed < 0 ? retained.indexOfBarrier() : retained.indexFrom(leader.ballot, progress.streamed);
  if (from < 0) return false;
  for (let index = from, batch = retained.at(index); batch !== undefined; batch = retained.at((index += 1))) {
    // The rest when it has taken some: at its next answer, or when the partition wakes.
    if (batch.bytes > 0 && isFull(context, peer)) return true;
    gather(context, replica, leader, { peer, batch });
    progress.streamed = batch.next.revision;
    progress.askedAt = context.now;
  }
  return true;
}

function gather(
  context: BatchPort,
  replica: Replica,
  leader: Leader,
  { peer, batch }: { peer: ShardOrdinal; batch: SentBatch },
): void {
  const isHeld = context.backlog.holds(peer, replica.partition);
  context.accepts.gather(peer, acceptOf(replica, leader, batch), { bytes: batch.bytes, isHeld });
}

function acceptOf(replica: Replica, leader: Leader, batch: SentBatch): Accept {
  const { partition, commit } = replica;
  const { epoch } = replica.record;
  const { message, previous, next, rows } = batch;
  if (message !== null && message.commit === commit && message.epoch === epoch) return message;
  batch.message = { partition, epoch, ballot: leader.ballot, previous, next, rows, commit };
  return batch.message;
}

/** Repeats the last batch, whatever was acknowledged: its answer tells where the replica is. */
export function probe(context: BatchPort, replica: Replica, leader: Leader, peer: ShardOrdinal): void {
  const last = leader.retained.last();
  if (last === undefined) return;
  leader.progressOf(peer).askedAt = context.now;
  gather(context, replica, leader, { peer, batch: last });
}
