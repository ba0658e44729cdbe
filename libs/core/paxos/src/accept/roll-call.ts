/**
 * What was said once and believed may have been wrong, and on an idle pair nothing is said twice. So followers that were told
 * nothing for a while state in turn what they have, a few at each beat however many partitions there are; whoever knows
 * better says so (docs/PROTOCOL.md 4.12.6).
 */
import type { Ballot, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { ownerOf } from '../ballot.js';
import { stepDown, type StepDownPort } from '../leadership/step-down.js';
import { watchLeader, type WatchPort } from '../leadership/watch.js';
import type { Gap, Promised, Released } from '../messages.js';
import type { Replica } from '../partition/replica.js';
import type { Port } from '../parts.js';
import type { AcceptorPort } from './acceptor.js';

export type RollCallPort = AcceptorPort & Port<'now' | 'rules' | 'replicas' | 'peers'>;

const STATED_PER_BEAT = 8;
const LOOKED_AT_PER_BEAT = 64;

/** Whose turn it is. */
export class RollCall {
  private rest: Iterator<Replica> | null = null;

  next(replicas: ReadonlyMap<PartitionIndex, Replica>): Replica | null {
    this.rest ??= replicas.values();
    const { done, value } = this.rest.next() as IteratorResult<Replica, undefined>;
    if (done !== true) return value;
    this.rest = null;
    return null;
  }
}

/** At each beat. */
export function callRoll(context: RollCallPort, roll: RollCall): void {
  if (!context.rules.statesUnasked()) return;
  let stated = 0;
  for (let looked = 0; looked < LOOKED_AT_PER_BEAT && stated < STATED_PER_BEAT; looked += 1) {
    const replica = roll.next(context.replicas);
    if (replica === null) return;
    if (isIdle(context, replica)) {
      state(context, replica);
      stated += 1;
    }
  }
}

/** Whose leader speaks to it hears what it has by its answers. */
function isIdle({ now, timings }: RollCallPort, replica: Replica): boolean {
  const { role, isMember, catchUp, record, leaderHeardAt } = replica;
  if (role.kind !== 'follower' || !isMember || catchUp !== null || record.promised === 0) return false;
  return now >= leaderHeardAt + timings.leaseMs;
}

/** The promise is repeated, to all who may lead: whoever does must not be below it. */
function state(context: RollCallPort, replica: Replica): void {
  const { partition, peers } = replica;
  const { epoch, promised: ballot } = replica.record;
  context.transactions.whenDurable(replica, () => {
    const { durable, commitOfDurableRows: commit } = replica;
    if (durable.epoch !== epoch || durable.promised !== ballot) return;
    const { position, purgedTo } = durable;
    for (const peer of peers) {
      if (!context.peers.isAlive(peer, context.now)) continue;
      context.outbox.send(peer, { kind: 'promised', partition, epoch, ballot, position, commit, purgedTo });
    }
  });
}

export type DisownPort = WatchPort & StepDownPort & Port<'outbox' | 'ordinal'>;

/** A replica that follows a ballot at which this shard does not lead, and has promised it in any case. */
export function disown(
  context: DisownPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Promised | Gap,
): void {
  const { role } = replica;
  const { ballot, partition, epoch } = message;
  // Whoever leads or stands above that says so itself.
  if (!replica.peers.includes(from) || (role.kind !== 'follower' && role.ballot >= ballot)) return;
  if (isOver(context, replica, ballot)) {
    const released: Released = { kind: 'released', partition, epoch, ballot };
    context.outbox.send(from, released);
  } else if (role.kind === 'leader') {
    replica.noteSeen(ballot, context.now);
    stepDown(context, replica, 'superseded');
    watchLeader(context, replica);
  }
}

/**
 * An own ballot up to the durable promise never serves again, unless it does now: the next candidacy is above it. Of those
 * of former lives nothing is said: a process that was replaced may run on for a lease, and grants to it lapse by themselves.
 */
function isOver(context: DisownPort, replica: Replica, ballot: Ballot): boolean {
  const isOwn = ownerOf(ballot) === context.ordinal && ballot > replica.promisedBefore;
  return isOwn && ballot <= replica.durable.promised;
}
