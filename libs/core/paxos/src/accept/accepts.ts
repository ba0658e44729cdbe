/** Batches of many partitions in one message, and the one answer to them (docs/PROTOCOL.md 4.2.7). */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Accept, Accepts, AcceptsSeen } from '../messages.js';
import type { Port } from '../parts.js';
import type { Replica } from '../partition/replica.js';
import { isBallotInReach, type PlausibilityPort } from '../plausible.js';
import { noteAcknowledged, noteConfirmed, type AcknowledgementPort } from './acknowledgements.js';
import { isOfThisEpoch, takeBatch, type AcceptorPort } from './acceptor.js';

export type AcceptsPort = AcceptorPort &
  PlausibilityPort &
  Port<'replicas' | 'rules' | 'grants' | 'transactions' | 'outbox'>;

export function onAccepts(context: AcceptsPort, from: ShardOrdinal, message: Accepts): void {
  const { incarnation, number, batches, lease } = message;
  const takers = batches.map((batch) => takerOf(context, from, batch));
  if (!takers.some((taker) => context.rules.answerCovers(taker !== null))) return;
  context.grants.renew(from, context.now);
  const echo = context.grants.echo(from, lease.sentAt);
  context.transactions.whenGathered(() => {
    const except: number[] = [];
    batches.forEach((batch, index) => {
      const durable = isDurable(context, takers[index] ?? null, batch);
      if (!context.rules.answerCovers(durable)) except.push(index);
    });
    context.outbox.send(from, { kind: 'acceptsSeen', holder: incarnation, number, lease: echo, except });
  });
}

function takerOf(context: AcceptsPort, from: ShardOrdinal, batch: Accept): Replica | null {
  const replica = context.replicas.get(batch.partition);
  if (replica === undefined || !isOfThisEpoch(context, replica, batch)) return null;
  if (!isBallotInReach(context, replica, from, batch.ballot)) return null;
  return takeBatch(context, replica, from, batch) ? replica : null;
}

/** In the same transaction the rows may have gone again: a new epoch without this replica, another history. */
function isDurable(context: AcceptsPort, taker: Replica | null, { ballot, next }: Accept): boolean {
  return taker !== null && context.rules.mayAcknowledge(taker.durable.position, ballot, next.revision);
}

export type AcceptsSeenPort = AcknowledgementPort & Port<'now' | 'replicas' | 'accepts' | 'holdings'>;

export function onAcceptsSeen(context: AcceptsSeenPort, from: ShardOrdinal, message: AcceptsSeen): void {
  const batches = context.accepts.settle(from, message);
  if (batches === null) return;
  const { except, lease } = message;
  context.holdings.hear(from, lease, context.now);
  let excepted = 0;
  batches.forEach((batch, index) => {
    if (except[excepted] === index) {
      excepted += 1;
      return;
    }
    const replica = context.replicas.get(batch.partition);
    const leader = replica?.leader;
    if (replica === undefined || leader === undefined || leader === null) return;
    if (leader.ballot !== batch.ballot || !replica.peers.includes(from)) return;
    if (!isOfThisEpoch(context, replica, batch)) return;
    noteConfirmed(context, leader.progressOf(from), from, lease);
    noteAcknowledged(context, replica, leader, { peer: from, revision: batch.next.revision });
  });
}
