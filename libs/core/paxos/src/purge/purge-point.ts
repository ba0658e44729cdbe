/** How far a leader has tombstones purged (docs/PROTOCOL.md 4.6.1, 4.6.5, 4.6.6). */
import type { Revision, ShardOrdinal } from '@ringleader/primitives';
import { ownerOf } from '../ballot.js';
import type { Promised } from '../messages.js';
import type { Port } from '../parts.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';

export type PurgePointPort = Port<'now' | 'timings' | 'rules' | 'peers' | 'transactions' | 'outbox'>;

/** At each beat, while the leader knows of tombstones. */
export function movePurgePoint(context: PurgePointPort, replica: Replica, leader: Leader): void {
  const { now, timings } = context;
  const { resting } = leader;
  if (!resting.isDue(now, timings.purgeRestMs)) return;
  resting.add(now, passedByAll(context, replica, leader));
  replica.hearPurgeWord(leader.ballot, resting.rested(now, timings.purgeRestMs));
}

/**
 * 4.6.1. A replica that is copied to has acknowledged less than the base of its copy, so that this holds the point there; and
 * so it does where a copy was begun by an earlier leader, since nothing was acknowledged at this ballot yet.
 */
function passedByAll(context: PurgePointPort, replica: Replica, leader: Leader): Revision {
  let point = context.rules.purgeLimit(replica.commit, replica.record.position.revision);
  for (const peer of replica.peers) {
    const { acknowledged } = leader.progressOf(peer);
    if (acknowledged < point && !isLongGone(context, leader, peer)) point = acknowledged;
  }
  return Math.max(0, point);
}

function isLongGone({ now, timings, peers }: PurgePointPort, leader: Leader, peer: ShardOrdinal): boolean {
  if (peers.isAlive(peer, now)) return false;
  return now >= Math.max(peers.heardAt(peer), leader.since) + timings.purgeAfterMs;
}

/** A leader says what it has, as replicas do (4.12.6): they purge as far as it has purged (4.6.6). */
export function tellPurgePoint(
  context: PurgePointPort,
  replica: Replica,
  peers: readonly ShardOrdinal[],
): void {
  const { partition, leader } = replica;
  if (leader === null) return;
  const { ballot, epoch } = leader;
  context.transactions.whenDurable(replica, () => {
    if (replica.role !== leader) return;
    const { position, purgedTo } = replica.durable;
    const commit = replica.commitOfDurableRows;
    for (const peer of peers) {
      if (!context.peers.isAlive(peer, context.now)) continue;
      context.outbox.send(peer, { kind: 'promised', partition, epoch, ballot, position, commit, purgedTo });
    }
  });
}

/** Of whoever leads at the ballot, or led: no other history has it. */
export function hearPurgePoint(
  { purges }: Port<'purges'>,
  replica: Replica,
  from: ShardOrdinal,
  message: Promised,
): void {
  const { ballot, position, purgedTo } = message;
  if (ownerOf(ballot) !== from || position.ballot !== ballot) return;
  replica.hearPurgeWord(ballot, purgedTo);
  purges.waiting.add(replica);
}

/** A replica says how far it has purged: the word did not reach it. */
export function repeatPurgePoint(
  context: PurgePointPort,
  replica: Replica,
  from: ShardOrdinal,
  { purgedTo }: Promised,
): void {
  if (purgedTo < replica.durable.purgedTo) tellPurgePoint(context, replica, [from]);
}
