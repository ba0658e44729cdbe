/** What replicas hear of a leadership that ended: it was released, passed on, or superseded (docs/PROTOCOL.md 4.4.7). */
import type { ShardOrdinal } from '@ringleader/primitives';
import { stepDown, type StepDownPort } from '../leadership/step-down.js';
import { watchLeader, type WatchPort } from '../leadership/watch.js';
import type { Released, ReleaseSeen, Stand, Superseded } from '../messages.js';
import type { Port } from '../parts.js';
import { ownerOf } from '../ballot.js';
import type { Replica } from '../partition/replica.js';
import { stand, type StandPort } from './stand.js';

export type SuccessionPort = StepDownPort &
  WatchPort &
  StandPort &
  Port<'now' | 'outbox' | 'pace' | 'releases' | 'peers'>;

/** 4.4.7: about a ballot that never serves again, so it holds in every epoch and however late it comes. */
export function onReleased(
  context: WatchPort & Port<'now' | 'pace' | 'outbox'>,
  replica: Replica,
  from: ShardOrdinal,
  message: Released,
): void {
  const { ballot, partition, epoch } = message;
  if (ownerOf(ballot) !== from) return;
  if (replica.record.promised === ballot && replica.released !== ballot) {
    replica.released = ballot;
    // The successor, if the leader chose one, goes first.
    const { staggerMs } = context.pace;
    replica.standNotBefore = Math.max(replica.standNotBefore, context.now + staggerMs);
    watchLeader(context, replica);
  }
  context.outbox.send(from, { kind: 'releaseSeen', partition, epoch, ballot });
}

export function onReleaseSeen(context: Port<'releases'>, from: ShardOrdinal, message: ReleaseSeen): void {
  context.releases.settle(message.partition, message.ballot, from);
}

/** 4.4.8: the leader gave its ballot up and chose this replica, which is at its position. */
export function onStand(context: SuccessionPort, replica: Replica, from: ShardOrdinal, message: Stand): void {
  const { ballot } = message;
  if (ownerOf(ballot) !== from || replica.record.promised !== ballot) return;
  if (replica.role.kind !== 'follower') return;
  if (replica.assignment?.preferredLeader === from)
    replica.declined = { by: from, incarnation: context.peers.incarnationOf(from) };
  replica.released = ballot;
  stand(context, replica);
}

export function onSuperseded(context: WatchPort & StepDownPort, replica: Replica, message: Superseded): void {
  replica.noteSeen(message.promised, context.now);
  const { role } = replica;
  if (role.kind === 'follower' || role.ballot !== message.ballot || message.promised <= message.ballot)
    return;
  stepDown(context, replica, 'superseded');
  watchLeader(context, replica);
}
