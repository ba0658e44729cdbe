/** What a leader does without being asked: at each heartbeat, and when its partition wakes. */
import type { ShardOrdinal } from '@ringleader/primitives';
import { considerHandover } from '../leadership/handover.js';
import { computeLease, confirmOf, repeatConfirmRound } from '../leadership/lease.js';
import { stepDown } from '../leadership/step-down.js';
import type { CommitPoint } from '../messages.js';
import { isFull, mayStillAnswer } from '../pair/backlog.js';
import type { Port } from '../parts.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import { quorumRevision } from '../rules/quorum.js';
import { bringForward, offerRepair, type AcknowledgementPort } from './acknowledgements.js';
import { probe } from './batch-sender.js';

export type UpkeepPort = AcknowledgementPort & Port<'pace' | 'pointsTold'>;

/** A leader that neither had a lease nor heard a quorum for this many L gives up: what waits for it is answered. */
const UNBACKED_MAX = 3;

/** At each heartbeat: looks at its lease, and asks for what it lacks. */
export function beatAsLeader(context: UpkeepPort, replica: Replica, leader: Leader): void {
  const leased = computeLease(context, replica, leader);
  leader.leasedWhenSeen = leased;
  leader.backedAt = Math.max(leader.backedAt, leased ? context.now : heardQuorumAt(context, replica, leader));
  if (context.now > givesUpAt(context, leader)) {
    stepDown(context, replica, 'leaseLost');
    return;
  }
  const point = pointOf(replica, leader, context.rules.mayStampFresh(leader.barrierCommitted, leased));
  for (const peer of replica.peers) {
    if (!context.peers.isAlive(peer, context.now)) continue;
    context.pointsTold.note(peer, point);
    askPeer(context, replica, leader, { peer, leased });
  }
  considerHandover(context, replica, leader);
}

/** On slow machines every answer may come after the lease that it prolongs, though all follow this leader. */
function heardQuorumAt(context: UpkeepPort, replica: Replica, leader: Leader): number {
  const { assignment } = replica;
  if (assignment === null) return leader.since;
  return quorumRevision(assignment, (ordinal) =>
    ordinal === context.ordinal ? context.now : (leader.progress.get(ordinal)?.heardAt ?? leader.since),
  );
}

/** A leader that was late itself hears first what waits for it. */
function givesUpAt(context: UpkeepPort, leader: Leader): number {
  const { pace, timings } = context;
  return Math.max(leader.backedAt + UNBACKED_MAX * timings.leaseMs, pace.graceUntil);
}

/** Most partitions are idle at most beats: theirs is what it was. */
function pointOf(replica: Replica, leader: Leader, fresh: boolean): CommitPoint {
  const { partition, commit } = replica;
  const { epoch } = replica.record;
  const { ballot, point } = leader;
  const isPresent =
    point !== null && point.commit === commit && point.fresh === fresh && point.epoch === epoch;
  if (isPresent) return point;
  leader.point = { partition, epoch, ballot, commit, fresh };
  return leader.point;
}

function askPeer(
  context: UpkeepPort,
  replica: Replica,
  leader: Leader,
  { peer, leased }: { peer: ShardOrdinal; leased: boolean },
): void {
  const progress = leader.progressOf(peer);
  const held = context.holdings.runningSpan(peer, context.now);
  // A grant that ended, as told, is asked for again by name where the lease is missing.
  const asks = held === undefined ? !leased : !context.rules.coversPartition(progress.confirmedIn, held);
  if (asks && replica.voters.includes(peer)) {
    context.outbox.send(peer, confirmOf(context, replica, leader, 0));
  }
  if (progress.acknowledged < replica.record.position.revision) {
    context.wakeups.at(replica, progress.askedAt + context.timings.resendIntervalMs);
  }
}

/** The partition woke while this shard leads it: asks again whoever should have answered. */
export function leadershipDue(context: UpkeepPort, replica: Replica, leader: Leader): void {
  const { resendIntervalMs } = context.timings;
  const unsettledBytes = leader.retained.bytesPast(replica.commit);
  let again = repeatConfirmRound(context, replica, leader);
  for (const peer of replica.peers) {
    const progress = leader.progressOf(peer);
    const complete = progress.acknowledged >= replica.record.position.revision;
    if (complete || !context.peers.isAlive(peer, context.now)) continue;
    again = true;
    if (mayStillAnswer(context, peer, progress, unsettledBytes) || isFull(context, peer)) continue;
    askAgain(context, replica, leader, peer);
  }
  if (again) context.wakeups.at(replica, context.now + resendIntervalMs);
}

function askAgain(context: UpkeepPort, replica: Replica, leader: Leader, peer: ShardOrdinal): void {
  const progress = leader.progressOf(peer);
  if (progress.behind) {
    offerRepair(context, replica, leader, peer);
    return;
  }
  progress.streamed = progress.acknowledged;
  bringForward(context, replica, leader, peer);
  if (progress.askedAt !== context.now) probe(context, replica, leader, peer);
}
