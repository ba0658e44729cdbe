/** What the leaders here say of exchanges of replicas that are under way (docs/PROTOCOL.md 6.1, 6.3). */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { LearnerReport, MoveReport, PartitionAssignment } from '../ready.js';

export type MovesPort = Port<'now' | 'ordinal' | 'timings' | 'limits' | 'rules' | 'peers' | 'led'>;

/** What the rows of a partition have, about. */
export type EstimateBytes = (partition: PartitionIndex) => number;

/** Who is silent for so many leases does not keep the others from being settled on. */
const DOWN_LEASES = 5;

/** In order of partition. */
export function moveReports(context: MovesPort, estimate: EstimateBytes): MoveReport[] {
  const reports: MoveReport[] = [];
  for (const replica of context.led) {
    const { assignment, leader } = replica;
    if (assignment === null || leader === null || !isMoving(assignment)) continue;
    reports.push(reportOf(context, replica, { assignment, leader, estimate }));
  }
  return reports.sort((a, b) => a.partition - b.partition);
}

export function isMoving({ learners, nextReplicas }: PartitionAssignment): boolean {
  return learners.length > 0 || nextReplicas !== null;
}

interface Led {
  readonly assignment: PartitionAssignment;
  readonly leader: Leader;
  readonly estimate: EstimateBytes;
}

function reportOf(context: MovesPort, replica: Replica, led: Led): MoveReport {
  const { assignment, leader } = led;
  const { partition, epoch, learners } = assignment;
  const ready = isReady(context, replica, led);
  return {
    partition,
    epoch,
    ballot: leader.ballot,
    ready,
    learners: learners.map((learner) => learnerReport(context, replica, led, learner)),
  };
}

/** 6.3: settling is safe once the barrier is committed; the rest keeps the new set as safe as the old one was. */
function isReady(context: MovesPort, replica: Replica, { assignment, leader }: Led): boolean {
  const { nextReplicas, epoch } = assignment;
  if (nextReplicas === null) return false;
  return context.rules.readyToSettle({
    barrierCommitted: leader.barrierCommitted && leader.epoch === epoch,
    leaderStays: nextReplicas.includes(context.ordinal),
    allFollow: nextReplicas.every(
      (peer) =>
        peer === context.ordinal || follows(context, replica, leader, peer) || isDown(context, leader, peer),
    ),
  });
}

/** In order at the leader's ballot. While users write, the slowest lacks the last of what is committed all the time. */
function follows({ limits }: MovesPort, replica: Replica, leader: Leader, peer: ShardOrdinal): boolean {
  const { acknowledged, behind } = leader.progressOf(peer);
  const missing = replica.record.position.revision - acknowledged;
  return acknowledged >= 0 && !behind && missing <= limits.repairRowsMax;
}

function isDown({ now, timings, peers }: MovesPort, leader: Leader, peer: ShardOrdinal): boolean {
  return now - Math.max(peers.heardAt(peer), leader.since) >= DOWN_LEASES * timings.leaseMs;
}

function learnerReport(
  context: MovesPort,
  replica: Replica,
  { leader, estimate }: Led,
  ordinal: ShardOrdinal,
): LearnerReport {
  const { acknowledged, behind, copied } = leader.progressOf(ordinal);
  const caughtUp = context.rules.learnerCaughtUp({
    atBallot: acknowledged >= 0,
    behind,
    missing: replica.record.position.revision - acknowledged,
    repairRowsMax: context.limits.repairRowsMax,
  });
  const { bytes: bytesDone } = copied;
  const bytesTotal = caughtUp ? bytesDone : Math.max(bytesDone, estimate(replica.partition));
  return { ordinal, caughtUp, bytesDone, bytesTotal };
}
