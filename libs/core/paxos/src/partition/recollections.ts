/**
 * Replicas tell each other which keyed writes they remember (docs/PROTOCOL.md 4.7.6): whose memory began anew with a repair, a
 * copy or its process would otherwise answer OUTCOME_UNKNOWN for as long as clients may repeat. It saves such answers, no
 * more: what is lost on its way is not told again.
 */
import type { Ballot, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Remembered } from '../messages.js';
import type { Leader } from './leader.js';
import { keyedWindowMs } from './keyed-requests.js';
import type { Replica } from './replica.js';
import type { Port } from '../parts.js';

export type RecollectionPort = Port<'now' | 'timings' | 'rules' | 'outbox' | 'peers'>;

export function tellMemory(
  context: Port<'outbox'>,
  { partition, record, leader, keyed }: Replica,
  to: ShardOrdinal,
): void {
  const told = keyed.tell();
  if (told === null) return;
  const { epoch, position } = record;
  const revision = leader?.lastRevision ?? position.revision;
  context.outbox.send(to, {
    kind: 'remembered',
    partition,
    epoch,
    ballot: position.ballot,
    revision,
    ...told,
  });
}

/** A follower whose process has not run for long, once in each of its lives. */
export function tellNewcomer(
  context: RecollectionPort,
  replica: Replica,
  leader: Leader,
  peer: ShardOrdinal,
): void {
  const { peers, now } = context;
  const progress = leader.progressOf(peer);
  const incarnation = peers.incarnationOf(peer);
  if (progress.toldMemoryIn === incarnation) return;
  progress.toldMemoryIn = incarnation;
  if (peers.knownForMs(peer, now) <= keyedWindowMs(context)) tellMemory(context, replica, peer);
}

export function onRemembered(context: Port<'rules'>, replica: Replica, message: Remembered): void {
  recall(context, replica, message);
  if (replica.catchUp !== null) replica.catchUp.remembered = message;
}

/** Nothing where it is of another history, or there is a hole between it and the own memory. */
export function recall(
  { rules }: Port<'rules'>,
  { record, leader, keyed }: Replica,
  message: Remembered,
): void {
  const { ballot, revision: toldUpTo } = message;
  const isOf = (own: Ballot): boolean => rules.isOfSameHistory(ballot, own);
  let end: Revision;
  if (isOf(record.position.ballot)) end = record.position.revision;
  else if (leader !== null && isOf(leader.adopted.ballot)) end = leader.adopted.revision;
  else return;
  const reachesFurther = keyed.recall(message, { end, toldUpTo });
  // Whom it told too little is told again.
  if (reachesFurther) for (const progress of leader?.progress.values() ?? []) progress.toldMemoryIn = 0;
}
