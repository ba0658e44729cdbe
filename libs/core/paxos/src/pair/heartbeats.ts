/** What two shards tell each other at every heartbeat interval, whatever they lead (docs/PROTOCOL.md 4.4.1, 4.4.7). */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Heartbeat, HeartbeatSeen } from '../messages.js';
import type { Port } from '../parts.js';

export type HeartbeatPort = Port<
  'now' | 'incarnation' | 'outbox' | 'grants' | 'holdings' | 'peers' | 'releases'
>;

export function onHeartbeat(context: HeartbeatPort, from: ShardOrdinal, message: Heartbeat): void {
  const { incarnation, lease } = message;
  if (!context.grants.hearHeartbeat(from, incarnation, context.now)) return;
  context.peers.hearHeartbeat(from, { incarnation, sentAt: lease.sentAt }, context.now);
  const echo = context.grants.echo(from, lease.sentAt);
  context.outbox.send(from, { kind: 'heartbeatSeen', holder: incarnation, lease: echo });
}

export function onHeartbeatSeen(context: HeartbeatPort, from: ShardOrdinal, message: HeartbeatSeen): void {
  if (message.holder === context.incarnation) context.holdings.hear(from, message.lease, context.now);
}

export function beatToPeers(context: HeartbeatPort, everyone: Iterable<ShardOrdinal>): void {
  const message: Heartbeat = {
    kind: 'heartbeat',
    incarnation: context.incarnation,
    lease: { sentAt: context.now },
  };
  for (const peer of everyone) context.outbox.send(peer, message);
  context.releases.forEachUnanswered((to, released) => {
    if (context.peers.isAlive(to, context.now)) context.outbox.send(to, released);
  });
}
