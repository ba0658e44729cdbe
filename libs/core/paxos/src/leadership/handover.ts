/**
 * Handover (docs/PROTOCOL.md 4.4.8): a leader that the map does not prefer passes the partition on, once the preferred
 * one could lead at once; one that is about to leave (6.3) to whoever of the new set could. It admits no new write, lets the successor reach its own position with everything committed
 * and answered, releases its ballot and says `Stand`.
 */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { announceRelease, stepDown, type StepDownPort } from './step-down.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { PartitionAssignment } from '../ready.js';
import { keyedWindowMs } from '../partition/keyed-requests.js';

export type HandoverPort = StepDownPort &
  Port<'now' | 'ordinal' | 'timings' | 'rules' | 'outbox' | 'peers' | 'holdings'>;

/** In leases: how long a leadership lasts at least, and how long after a handover that failed the next is tried. */
const SETTLED_LEASES = 2;
const RETRY_LEASES = 8;

export function considerHandover(context: HandoverPort, replica: Replica, leader: Leader): void {
  const { leaseMs } = context.timings;
  if (leader.handover !== null) {
    if (context.now >= leader.handover.startedAt + leaseMs) {
      leader.handover = null;
      leader.handoverNotBefore = context.now + RETRY_LEASES * leaseMs;
    }
    return;
  }
  const { assignment } = replica;
  if (assignment === null || !leader.barrierCommitted || context.now < leader.handoverNotBefore) return;
  const leaves = isLeaving(context, assignment);
  if (!leaves && context.now < leader.since + SETTLED_LEASES * leaseMs) return;
  const successor = successorsOf(context, assignment, leaves).find((peer) =>
    couldLead(context, replica, leader, peer),
  );
  if (successor === undefined) return;
  leader.handover = { successor, startedAt: context.now };
  finishHandover(context, replica, leader);
}

/** Not in the set that comes next: it would report nothing as ready. */
function isLeaving({ ordinal }: HandoverPort, { nextReplicas }: PartitionAssignment): boolean {
  return nextReplicas !== null && !nextReplicas.includes(ordinal);
}

/** The best first. Of the new set those who know the partition from before come before a newcomer. */
function successorsOf(
  { ordinal }: HandoverPort,
  { preferredLeader, replicas, nextReplicas }: PartitionAssignment,
  leaves: boolean,
): ShardOrdinal[] {
  // Who is about to leave would only pass it back.
  const mayLead = preferredLeader !== ordinal && (nextReplicas?.includes(preferredLeader) ?? true);
  const preferred = mayLead ? [preferredLeader] : [];
  if (!leaves || nextReplicas === null) return preferred;
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
  const { leaseMs } = context.timings;
  // Nor does it know of the keyed writes before its start, which clients may repeat (4.7.6),
  const knownMs = replica.keyed.isEmpty ? 1.5 * leaseMs : Math.max(1.5 * leaseMs, keyedWindowMs(context));
  // or before its rows were replaced. Who leaves does not wait for that.
  const inOrderMs = context.now - (replica.mendedAt.get(successor) ?? Number.NEGATIVE_INFINITY);
  if (!replica.keyed.isEmpty && !isLeaving(context, assignment) && inOrderMs <= knownMs) return false;
  const promises = context.peers.knownForMs(successor, context.now) > knownMs;
  const running = context.holdings.runningSpan(successor, context.now) !== undefined;
  return promises && running && leader.progressOf(successor).acknowledged >= replica.commit;
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
  stepDown(context, replica, 'handover');
  if (successor !== 0) context.outbox.send(successor, { kind: 'stand', partition, epoch, ballot });
}
