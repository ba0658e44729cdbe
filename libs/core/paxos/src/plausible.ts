/**
 * What an honest shard never says (docs/PROTOCOL.md 4.12): refused at the one door where messages come in, and counted.
 * Everything here holds for every message of a shard that follows the protocol, however late it comes; so a refusal
 * costs nothing but what a lost message costs. Only what leaps may be true, and is believed when it is said on.
 */
import {
  HYBRID_UNITS_PER_MS,
  type Ballot,
  type Epoch,
  type HybridTime,
  type PartitionIndex,
  type Revision,
  type ShardOrdinal,
} from '@ringleader/primitives';
import { ORDINAL_MAX, ownerOf, roundOf } from './ballot.js';
import {
  NO_STAMP,
  type Accept,
  type AcceptsSeen,
  type CommitPoints,
  type HeartbeatSeen,
  type LeaseEcho,
  type Remembered,
  type ShardMessage,
} from './messages.js';
import { ENTRIES_MAX } from './partition/keyed-requests.js';
import type { LeapKind, Replica } from './partition/replica.js';
import type { Port } from './parts.js';
import type { Row } from './records.js';
import { isKeyed } from './requests.js';

export type PlausibilityPort = Port<
  'now' | 'ordinal' | 'incarnation' | 'timings' | 'stamp' | 'outbox' | 'replicas' | 'holdings' | 'rules'
>;

/** A round is one candidacy: nobody misses so many, and no partition lives to see them. */
export const ROUND_LEAP_MAX = 2 ** 20;
/** Believed of nobody: rounds end at 2^37. */
const ROUND_EVER_MAX = 2 ** 30;
/** Longer than any candidate pauses between two candidacies, however slow it is: or it would never be believed. */
export const LEAP_REMEMBERED_MS = 30_000;
/**
 * A true floor rises with the clock that it was read off, in steps as long as deletions are apart. A longer step than this
 * leaves as much time until the next one, in which it is said often enough.
 */
export const FLOOR_STEP_MAX_MS = 30_000;
/** Generations are made of them (records.ts). */
const INCARNATION_END = 2 ** 37;
/** At every beat, for 16,384 partitions, for fifty years. */
const POINT_NUMBER_END = 2 ** 48;
/** Waits of a granter are a lease, or what a restart waits. */
const RETRY_LEASES_MAX = 4;
/** A day: clocks that are wrong by hours cost answers, and are no reason to forget what is remembered, or to go without repair. */
const CLOCK_AHEAD_MAX_MS = 86_400_000;

export function isPlausible(context: PlausibilityPort, from: ShardOrdinal, message: ShardMessage): boolean {
  if (isPeer(context, from) && isSayable(context, from, message)) return true;
  refuse(context, from, message.kind);
  return false;
}

/**
 * A ballot from which a promise or a candidacy may follow: they are for ever. A replica that promised nothing yet knows
 * no rounds. A leap that goes on being said is believed: who says it may have promised it, and never comes back from it.
 */
export function isBallotInReach(
  context: PlausibilityPort,
  replica: Replica,
  from: ShardOrdinal,
  ballot: Ballot,
): boolean {
  const { promised } = replica.record;
  const round = roundOf(ballot);
  const known = roundOf(Math.max(promised, replica.highestSeen(context.now)));
  if (round <= known + ROUND_LEAP_MAX || (promised === 0 && round <= ROUND_EVER_MAX)) return true;
  const leap = { what: 'ballot', said: round, stepMax: ROUND_LEAP_MAX } as const;
  if (round <= known + ROUND_EVER_MAX && persists(context, replica, from, leap)) return true;
  refuse(context, from, leap.what);
  return false;
}

/**
 * A floor of repeats becomes durable, and up to it no key is new. It was read off a clock (4.7.6), and no clock is further
 * ahead than clocks may differ. One that is says so again, and whoever never believed it would never be repaired.
 */
export function isFloorInReach(
  context: PlausibilityPort,
  replica: Replica,
  from: ShardOrdinal,
  floor: HybridTime,
): boolean {
  const { dedupeFloor, staging } = replica.record;
  if (floor <= Math.max(dedupeFloor, staging?.dedupeFloor ?? 0)) return true;
  if (isAheadByAtMost(context, floor, context.timings.clocksDifferMs)) return true;
  const leap = { what: 'floor', said: floor, stepMax: FLOOR_STEP_MAX_MS * HYBRID_UNITS_PER_MS } as const;
  if (persists(context, replica, from, leap)) return true;
  refuse(context, from, leap.what);
  return false;
}

interface Said {
  readonly what: LeapKind;
  readonly said: number;
  /** What is said next, and is no further from it, is the same leap. */
  readonly stepMax: number;
}

function persists(
  { now, rules }: PlausibilityPort,
  replica: Replica,
  from: ShardOrdinal,
  { what, said, stepMax }: Said,
): boolean {
  if (!replica.peers.includes(from)) return false;
  const leap = replica.leaps.get(`${what}/${from}`);
  const isSame =
    leap !== undefined && Math.abs(leap.said - said) <= stepMax && now - leap.lastAt < LEAP_REMEMBERED_MS;
  const since = isSame ? leap.since : now;
  const times = isSame ? leap.times + 1 : 1;
  replica.leaps.set(`${what}/${from}`, { said, since, lastAt: now, times });
  return rules.believesLeap(now - since, times);
}

function refuse(context: PlausibilityPort, from: ShardOrdinal, what: string): void {
  context.outbox.event({ kind: 'implausible', from, what });
}

/** Another shard: ballots are made of such ordinals, and nobody writes to himself. */
function isPeer({ ordinal }: PlausibilityPort, from: ShardOrdinal): boolean {
  return from > 0 && from <= ORDINAL_MAX && from !== ordinal;
}

function isSayable(context: PlausibilityPort, from: ShardOrdinal, message: ShardMessage): boolean {
  switch (message.kind) {
    case 'heartbeat':
      return message.incarnation < INCARNATION_END;
    case 'heartbeatSeen':
    case 'acceptsSeen':
      return isEchoOfPast(context, message.lease) && isEchoOfOwn(context, message);
    case 'accepted':
    case 'confirmed':
      return isEchoOfPast(context, message.lease);
    case 'commitPoints':
      return arePointsSayable(context, message);
    case 'accepts':
      return message.incarnation < INCARNATION_END && message.batches.every(isBatchSayable);
    case 'prepareRefused':
      return (
        isOfReplica(context, from, message) &&
        message.retryInMs >= 0 &&
        message.retryInMs <= RETRY_LEASES_MAX * context.timings.leaseMs
      );
    case 'superseded':
      return isOfReplica(context, from, message);
    case 'promised':
    case 'gap':
    case 'repairOffer':
    case 'copyRequired':
      return message.purgedTo <= message.commit;
    case 'delta':
    case 'finish':
      return (
        message.purgedTo <= message.to.revision &&
        message.rows.every(({ revision }) => revision <= message.to.revision) &&
        isAheadByAtMost(context, message.dedupeFloor, CLOCK_AHEAD_MAX_MS)
      );
    case 'remembered':
      return isOfReplica(context, from, message) && isMemorySayable(context, message);
    case 'page':
      return (
        message.purgedTo <= message.commit &&
        isAheadByAtMost(context, message.dedupeFloor, CLOCK_AHEAD_MAX_MS)
      );
    case 'prepare':
    case 'confirm':
    case 'released':
    case 'stand':
    case 'verify':
    case 'rowWanted':
    case 'mend':
      return ownerOf(message.ballot) === from;
    case 'verified':
      return message.purgedTo <= message.revision;
    default:
      return true;
  }
}

/** An echo is of an own reading of the own clock. */
function isEchoOfPast({ now }: PlausibilityPort, { incarnation, sentAt }: LeaseEcho): boolean {
  return incarnation < INCARNATION_END && (sentAt === NO_STAMP || sentAt <= now);
}

/** Of a stamp that this life has written: what another shard wrote, and its answer came here, says nothing of this one. */
function isEchoOfOwn(
  { holdings, incarnation, now }: PlausibilityPort,
  { holder, lease }: HeartbeatSeen | AcceptsSeen,
): boolean {
  return holder !== incarnation || lease.sentAt === NO_STAMP || holdings.isOwn(lease.sentAt, now);
}

function arePointsSayable(context: PlausibilityPort, message: CommitPoints): boolean {
  const { incarnation, after, upTo, points, stamp } = message;
  const isEchoOk =
    stamp?.echoIncarnation !== context.incarnation ||
    stamp === null ||
    context.holdings.isOwn(stamp.echo, context.now);
  return (
    incarnation < INCARNATION_END && isEchoOk && upTo < POINT_NUMBER_END && points.length <= upTo - after
  );
}

/** The rows of a batch are in order of revision (a transaction's share one), and the last one's is where the batch leads. */
function isBatchSayable({ ballot, previous, next, rows }: Accept): boolean {
  if (next.ballot !== ballot || previous.ballot > ballot) return false;
  return endOf(rows, previous.revision) === next.revision;
}

/** The last revision; null where they are not in order. */
function endOf(rows: readonly Row[], after: Revision): Revision | null {
  let end = after;
  for (const { revision } of rows) {
    if (revision < end || revision === after) return null;
    end = revision;
  }
  return end;
}

function isAheadByAtMost({ stamp }: PlausibilityPort, time: HybridTime, ms: number): boolean {
  return time <= stamp() + ms * HYBRID_UNITS_PER_MS;
}

/** A mark of a far future would never be forgotten. */
function isMemorySayable(context: PlausibilityPort, { revision, floor, marks }: Remembered): boolean {
  if (marks.length > ENTRIES_MAX) return false;
  let latest = floor;
  for (const mark of marks) {
    if (!isKeyed(mark.id) || mark.revision > revision) return false;
    latest = Math.max(latest, mark.origin);
  }
  return isAheadByAtMost(context, latest, CLOCK_AHEAD_MAX_MS);
}

/** Who is a replica at another epoch this one cannot tell, and what is said of another epoch is dropped anyway. */
function isOfReplica(
  { replicas }: PlausibilityPort,
  from: ShardOrdinal,
  { partition, epoch }: { readonly partition: PartitionIndex; readonly epoch: Epoch },
): boolean {
  const replica = replicas.get(partition);
  if (replica?.assignment?.epoch !== epoch || replica.record.epoch !== epoch) return true;
  return replica.peers.includes(from);
}
