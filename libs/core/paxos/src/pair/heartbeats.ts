/** What two shards tell each other at every heartbeat interval, whatever they lead (docs/PROTOCOL.md 4.4.1, 4.4.7). */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Heartbeat, HeartbeatSeen } from '../messages.js';
import type { Port } from '../parts.js';

export type HeartbeatPort = Port<
  | 'now'
  | 'incarnation'
  | 'outbox'
  | 'grants'
  | 'holdings'
  | 'peers'
  | 'pointsTold'
  | 'pointsHeard'
  | 'releases'
>;

export function onHeartbeat(context: HeartbeatPort, from: ShardOrdinal, message: Heartbeat): void {
  const { incarnation, lease } = message;
  if (!context.grants.hearHeartbeat(from, incarnation, context.now)) return;
  context.peers.hearHeartbeat(from, { incarnation, sentAt: lease.sentAt }, context.now);
  context.pointsTold.meet(from, incarnation);
  const echo = context.grants.echo(from, lease.sentAt);
  const pointsHeard = context.pointsHeard.heard(from, incarnation);
  context.outbox.send(from, { kind: 'heartbeatSeen', holder: incarnation, lease: echo, pointsHeard });
}

export function onHeartbeatSeen(context: HeartbeatPort, from: ShardOrdinal, message: HeartbeatSeen): void {
  const { holder, lease, pointsHeard: heard } = message;
  if (holder !== context.incarnation) return;
  context.holdings.hear(from, lease, context.now);
  const { incarnation, sentAt } = lease;
  context.pointsTold.answered(from, { incarnation, heard, sentAt });
}

export function beatToPeers(context: HeartbeatPort, everyone: Iterable<ShardOrdinal>): void {
  const message: Heartbeat = {
    kind: 'heartbeat',
    incarnation: context.incarnation,
    lease: { sentAt: context.now },
  };
  context.holdings.wrote(context.now);
  for (const peer of everyone) context.outbox.send(peer, message);
  context.releases.forEachUnanswered((to, released) => {
    if (context.peers.isAlive(to, context.now)) context.outbox.send(to, released);
  });
}

/** At each beat, when every partition led was looked at: what changed of them, and a stamp for all (4.5.3). */
export function tellPoints(context: HeartbeatPort, everyone: Iterable<ShardOrdinal>): void {
  for (const peer of everyone) {
    if (!context.peers.isAlive(peer, context.now)) continue;
    const stamp = context.peers.lastStamp(peer);
    for (const message of context.pointsTold.messagesTo(peer, stamp)) context.outbox.send(peer, message);
  }
}
