/**
 * When a replica stands (docs/PROTOCOL.md 4.9): as soon as the lease of the ballot it follows has lapsed, replica r
 * after r x stagger. The owner of that ballot is left out of the order, so that nobody waits for a dead leader's turn.
 * Who was late itself waits longer: the leader may well have been there (`OwnPace`).
 */
import type { Port } from '../parts.js';
import { protectedUntil, restartWaitEnds, type ProtectionPort } from './protection.js';
import { ownerOf } from '../ballot.js';
import type { Replica } from '../partition/replica.js';

export type WatchPort = ProtectionPort &
  Port<'now' | 'retired' | 'ordinal' | 'timings' | 'rules' | 'wakeups' | 'pace'>;

export function watchLeader(context: WatchPort, replica: Replica): void {
  if (replica.role.kind === 'follower' && mayEverStand(context, replica)) {
    context.wakeups.at(replica, standingTime(context, replica));
  }
}

/** The leader was heard, so standing moves later: a wake-up that is already set finds that out by itself. */
export function keepWatching(context: WatchPort, replica: Replica): void {
  if (replica.wakeAt === Number.POSITIVE_INFINITY) watchLeader(context, replica);
}

/** Voters stand, unless the shard is on its way out. */
export function mayEverStand(context: WatchPort, replica: Replica): boolean {
  const { assignment } = replica;
  return !context.retired && assignment !== null && context.rules.votes(assignment, context.ordinal);
}

/** When this replica stands, as far as is known now. */
export function standingTime(context: WatchPort, replica: Replica): number {
  const { promised } = replica.record;
  const heardUntil =
    replica.released === promised || ownerOf(promised) === context.ordinal
      ? Number.NEGATIVE_INFINITY
      : replica.leaderHeardAt + context.timings.leaseMs;
  const lapsed = Math.max(
    heardUntil,
    protectedUntil(context, replica, context.ordinal),
    restartWaitEnds(context),
  );
  const { pace } = context;
  const turn = turnOf(context, replica) * pace.staggerMs;
  return Math.max(lapsed + pace.latenessMs + turn, replica.standNotBefore, pace.graceUntil);
}

/** 0 stands first: the preferred leader, then the others as the map lists them; with a copy under way last. */
export function turnOf(context: WatchPort, replica: Replica): number {
  const { assignment, voters, record } = replica;
  if (assignment === null || record.staging !== null) return voters.length;
  const { preferredLeader } = assignment;
  const gone = ownerOf(record.promised);
  const others = voters.filter((voter) => voter !== preferredLeader);
  const inOrder = voters.length > others.length ? [preferredLeader, ...others] : others;
  const waiting = inOrder.filter((voter) => voter === context.ordinal || voter !== gone);
  return waiting.indexOf(context.ordinal);
}
