/**
 * Tombstones go in steps, in the transactions of user traffic: few at a time, and never more than keep up with that
 * (docs/PROTOCOL.md 4.6.2, 4.6.7). What memory does not know of is looked for, a page at each beat, beside the writer.
 */
import { HYBRID_UNITS_PER_MS, type HybridTime, type Revision } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { PurgeStatus } from '../ready.js';
import type { Replica } from '../partition/replica.js';
import type { Tombstone } from './tombstones.js';
import { movePurgePoint, tellPurgePoint, type PurgePointPort } from './purge-point.js';

/** In one transaction, and more only where it has as many rows of users; each takes the database some 10 µs. */
const STEP = 256;
const STEP_MAX = 1_024;
/** Of all partitions together, and more only where as many rows were written since the beat before. */
const PER_BEAT = 1_024;
const ROWS_PER_LOOK = 512;
/** So many small partitions are looked through between two beats, or one page of a large one. */
const LOOKS_PER_BEAT = 8;

export type PurgerPort = PurgePointPort & Port<'purges' | 'reads' | 'stamp' | 'timings'>;

export function purgeAtBeat(context: PurgerPort): void {
  const { purges } = context;
  if (purges.waiting.size === 0) return;
  for (const replica of purges.waiting) {
    const { tombstones, leader } = replica;
    if (tombstones.size === 0 && !tombstones.isPassDue && !isToBeSaid(context, replica)) {
      purges.waiting.delete(replica);
    } else if (leader !== null && tombstones.size > 0) {
      movePurgePoint(context, replica, leader);
    }
  }
  const { rowsTaken } = context.transactions;
  purges.credit = Math.max(PER_BEAT, rowsTaken - purges.rowsTakenBefore);
  purges.rowsTakenBefore = rowsTaken;
  purges.looks = LOOKS_PER_BEAT;
  step(context);
  look(context);
}

function step(context: PurgerPort): void {
  const { purges, transactions } = context;
  if (purges.isStepUnderWay) return;
  const size = Math.min(Math.max(STEP, transactions.rowsGathered), STEP_MAX);
  const room = Math.min(size, purges.credit);
  let left = room;
  // A clock that is far ahead must not make a partition take whatever comes for a repeat that it has forgotten.
  const before = context.stamp() - (context.timings.purgeRestMs / 2) * HYBRID_UNITS_PER_MS;
  const served: Replica[] = [];
  for (const replica of purges.waiting) {
    if (left === 0) break;
    const count = purge(context, replica, { before, max: left });
    left -= count;
    if (count > 0) served.push(replica);
  }
  if (left === room) return;
  for (const replica of served) purges.toTheEnd(replica);
  purges.credit -= room - left;
  purges.purgedTotal += room - left;
  purges.isStepUnderWay = true;
  transactions.whenGathered(() => {
    purges.isStepUnderWay = false;
    step(context);
  });
}

/** 4.6.2: how far this replica may purge now; what it has purged to before it may at any time. 0 is nothing. */
function purgeableTo({ rules }: PurgerPort, { record, commit, purgeWord }: Replica): Revision {
  const { ballot, revision } = record.position;
  // From a promise on rows stand still below it (4.1.3).
  if (record.promised !== ballot) return 0;
  const word =
    purgeWord.ballot === ballot ? Math.min(purgeWord.revision, rules.purgeLimit(commit, revision)) : 0;
  return Math.max(word, record.purgedTo);
}

/** A follower says that it has purged as far as its leader has, though it had nothing to purge. */
function isToBeSaid(context: PurgerPort, replica: Replica): boolean {
  return replica.leader === null && purgeableTo(context, replica) > replica.record.purgedTo;
}

function purge(
  context: PurgerPort,
  replica: Replica,
  { before, max }: { before: HybridTime; max: number },
): number {
  const { tombstones, leader } = replica;
  const point = purgeableTo(context, replica);
  const gone = tombstones.upTo(point, before, max);
  const isAll = gone.length < max;
  if (gone.length > 0 || (isAll && isToBeSaid(context, replica))) {
    remove(context, replica, { gone, purgedTo: isAll && leader === null ? point : 0 });
  }
  if (leader === null) return gone.length;
  leader.resting.isUntold ||= gone.length > 0;
  if (isAll && leader.resting.isUntold) {
    leader.resting.isUntold = false;
    tellPurgePoint(context, replica, replica.peers);
  }
  return gone.length;
}

/** One transaction: tombstones, how far they are gone, and what they remembered. */
function remove(
  context: PurgerPort,
  replica: Replica,
  { gone, purgedTo: said }: { gone: readonly Tombstone[]; purgedTo: Revision },
): void {
  const { record } = replica;
  let purgedTo = Math.max(said, record.purgedTo);
  let floor = 0;
  for (const tombstone of gone) {
    purgedTo = Math.max(purgedTo, tombstone.revision);
    floor = Math.max(floor, tombstone.floor);
    context.transactions.purge(replica, tombstone);
  }
  context.transactions.setRecord(replica, {
    ...record,
    purgedTo,
    commitBound: Math.max(replica.commit, purgedTo),
    dedupeFloor: context.rules.floorAfterPurge(record.dedupeFloor, floor),
  });
}

/** One page of one pass at a time. */
function look(context: PurgerPort): void {
  const { purges, transactions } = context;
  if (purges.isLooking || purges.looks === 0) return;
  for (const replica of purges.waiting) {
    if (replica.tombstones.passFrom === null) continue;
    purges.isLooking = true;
    // Beside the writer: what is gathered is in no page yet, and of a copy's last rows nothing else is known.
    transactions.whenDurable(replica, () => readPage(context, replica));
    return;
  }
}

function readPage(context: PurgerPort, replica: Replica): void {
  const { purges, reads } = context;
  const { partition, history, record, tombstones } = replica;
  const { generation } = record;
  const start = tombstones.passFrom;
  if (start === null) {
    purges.isLooking = false;
    return;
  }
  const read = { kind: 'tombstones', partition, generation, start, limitRows: ROWS_PER_LOOK } as const;
  reads.tombstones(read, ({ rows, nextKey }) => {
    purges.isLooking = false;
    purges.looks = nextKey === null ? purges.looks - 1 : 0;
    // Rows that were replaced meanwhile may be other ones of the same revision, or others.
    const isSame = replica.history === history && replica.record.generation === generation;
    if (isSame && tombstones.passFrom === start) tombstones.found(rows, nextKey);
    look(context);
  });
}

export function purgingOf({ purges }: PurgerPort): PurgeStatus {
  let tombstones = 0;
  let lagRevisions = 0;
  let lookedForIn = 0;
  for (const replica of purges.waiting) {
    tombstones += replica.tombstones.size;
    if (replica.tombstones.isPassDue) lookedForIn += 1;
    if (replica.leader === null || replica.tombstones.size === 0) continue;
    lagRevisions = Math.max(lagRevisions, replica.commit - replica.record.purgedTo);
  }
  return { tombstones, purgedTotal: purges.purgedTotal, lagRevisions, lookedForIn };
}
