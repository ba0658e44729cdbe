/**
 * Handover (docs/PROTOCOL.md 4.4.8): a leader that the map does not prefer passes the partition on, once the preferred
 * one could lead at once; one that is about to leave the set (6.3) to whoever of the new set could; one whose process is about to end
 * to whoever could. It admits no new write, lets the successor reach its own position with everything committed
 * and answered, releases its ballot and says `Stand`.
 */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { announceRelease, stepDown, type StepDownPort } from './step-down.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { PartitionAssignment } from '../ready.js';
import { tellMemory } from '../partition/recollections.js';

export type HandoverPort = StepDownPort &
  Port<'now' | 'retired' | 'ordinal' | 'timings' | 'rules' | 'outbox' | 'peers' | 'holdings'>;

/** In leases: how long a leadership lasts at least, and how long after a handover that failed the next is tried. */
const SETTLED_LEASES = 2;
const RETRY_LEASES = 8;

export function considerHandover(context: HandoverPort, replica: Replica, leader: Leader): void {
  if (leader.handover !== null) giveUpInTime(context, replica, leader);
  else if (context.retired && !hasLivingPeer(context, replica)) passOnNow(context, replica, leader);
  else if (leader.barrierCommitted && mayBegin(context, replica, leader)) {
    const successor = successorOf(context, replica, leader);
    if (successor === undefined) return;
    leader.handover = { successor, startedAt: context.now };
    finishHandover(context, replica, leader);
  }
}

function giveUpInTime(context: HandoverPort, replica: Replica, leader: Leader): void {
  const { leaseMs } = context.timings;
  if (leader.handover === null || context.now < leader.handover.startedAt + leaseMs) return;
  leader.handover = null;
  leader.handoverNotBefore = context.now + RETRY_LEASES * leaseMs;
  // Who is about to end has no time for another attempt.
  if (context.retired) passOnNow(context, replica, leader);
}

function mayBegin(context: HandoverPort, { assignment }: Replica, leader: Leader): boolean {
  if (assignment === null || context.retired) return assignment !== null;
  if (context.now < leader.handoverNotBefore) return false;
  return (
    isLeaving(context, assignment) || context.now >= leader.since + SETTLED_LEASES * context.timings.leaseMs
  );
}

/** Not in the set that comes next, where it would report nothing as ready; or about to end. */
function isLeaving({ ordinal, retired }: HandoverPort, { nextReplicas }: PartitionAssignment): boolean {
  return retired || (nextReplicas !== null && !nextReplicas.includes(ordinal));
}

function successorOf(context: HandoverPort, replica: Replica, leader: Leader): ShardOrdinal | undefined {
  const { assignment } = replica;
  if (assignment === null) return undefined;
  return successorsOf(context, replica, assignment).find((peer) => couldLead(context, replica, leader, peer));
}

/** The best first. Of the new set those who know the partition from before come before a newcomer. */
function successorsOf(
  context: HandoverPort,
  { declined, voters }: Replica,
  assignment: PartitionAssignment,
): ShardOrdinal[] {
  const { ordinal, retired, peers } = context;
  const { preferredLeader, replicas, nextReplicas } = assignment;
  // Who is about to leave would only pass it back.
  const mayLead =
    preferredLeader !== ordinal &&
    (nextReplicas?.includes(preferredLeader) ?? true) &&
    !(declined?.by === preferredLeader && declined.incarnation === peers.incarnationOf(preferredLeader));
  const preferred = mayLead ? [preferredLeader] : [];
  if (retired)
    return [...preferred, ...voters.filter((peer) => peer !== ordinal && peer !== preferredLeader)];
  if (!isLeaving(context, assignment) || nextReplicas === null) return preferred;
  const stay = nextReplicas.filter((peer) => replicas.includes(peer));
  const come = nextReplicas.filter((peer) => !replicas.includes(peer));
  return [...preferred, ...stay, ...come];
}

function couldLead(
  context: HandoverPort,
  replica: Replica,
  leader: Leader,
  successor: ShardOrdinal,
): boolean {
  const { assignment } = replica;
  if (assignment === null || !context.rules.votes(assignment, successor)) return false;
  // It promises nothing in its first L, so until then it could not stand.
  const promises = context.peers.knownForMs(successor, context.now) > promisingMs(context);
  const running = context.holdings.runningSpan(successor, context.now) !== undefined;
  return promises && running && leader.progressOf(successor).acknowledged >= replica.commit;
}

const promisingMs = ({ timings }: HandoverPort): number => 1.5 * timings.leaseMs;

/** Whether there is anybody who could ever lead it. */
export function hasLivingPeer(
  { ordinal, peers, now }: Pick<HandoverPort, 'ordinal' | 'peers' | 'now'>,
  replica: Replica,
): boolean {
  return replica.voters.some((peer) => peer !== ordinal && peers.isAlive(peer, now));
}

/** Nothing is in flight and the successor has it all: passes on. */
export function finishHandover(context: HandoverPort, replica: Replica, leader: Leader): void {
  const { handover } = leader;
  if (handover === null || replica.role !== leader) return;
  const complete =
    replica.commit === leader.lastRevision &&
    leader.progressOf(handover.successor).acknowledged === leader.lastRevision;
  if (complete) passOn(context, replica, leader, handover.successor);
}

function passOn(context: HandoverPort, replica: Replica, leader: Leader, successor: ShardOrdinal): void {
  const { partition } = replica;
  const { epoch, ballot } = leader;
  tellMemory(context, replica, successor);
  if (context.rules.servesAfterRelease()) announceRelease(context, replica, leader);
  else stepDown(context, replica, 'handover');
  leader.handover = null;
  context.outbox.send(successor, { kind: 'stand', partition, epoch, ballot });
}

/** Clean shutdown: no time to bring anyone forward; whoever has most goes first. */
export function passOnNow(context: HandoverPort, replica: Replica, leader: Leader): void {
  const { assignment } = replica;
  let successor: ShardOrdinal = 0;
  let most = -1;
  for (const peer of replica.voters) {
    if (peer === context.ordinal || !context.peers.isAlive(peer, context.now)) continue;
    const { acknowledged } = leader.progressOf(peer);
    const preferred = acknowledged === most && peer === assignment?.preferredLeader;
    if (acknowledged > most || preferred) {
      successor = peer;
      most = acknowledged;
    }
  }
  const { partition } = replica;
  const { epoch, ballot } = leader;
  if (successor !== 0) tellMemory(context, replica, successor);
  stepDown(context, replica, 'handover');
  if (successor !== 0) context.outbox.send(successor, { kind: 'stand', partition, epoch, ballot });
}
