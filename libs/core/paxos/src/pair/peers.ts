import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';
import type { FreshStamp } from '../messages.js';

interface Peer {
  heardAt: number;
  incarnation: Incarnation;
  /** When this incarnation was first heard. */
  since: number;
  /** The sending time in its last heartbeat, on its own clock. */
  sentAt: number | null;
}

/** Which other shards have been heard of lately: decides what is worth sending, never what is safe. */
export class Peers {
  private readonly peers = new Map<ShardOrdinal, Peer>();

  constructor(private readonly aliveMs: number) {}

  hear(ordinal: ShardOrdinal, now: number): void {
    this.peerOf(ordinal).heardAt = now;
  }

  hearHeartbeat(
    ordinal: ShardOrdinal,
    beat: { incarnation: Incarnation; sentAt: number },
    now: number,
  ): void {
    const peer = this.peerOf(ordinal);
    if (peer.incarnation !== beat.incarnation) {
      peer.incarnation = beat.incarnation;
      peer.since = now;
      peer.sentAt = null;
    }
    // The last one, not the greatest: a wrong one is gone with the next.
    peer.sentAt = beat.sentAt;
  }

  isAlive(ordinal: ShardOrdinal, now: number): boolean {
    const peer = this.peers.get(ordinal);
    return peer !== undefined && now - peer.heardAt < this.aliveMs;
  }

  /** -Infinity for a shard that was never heard. */
  heardAt(ordinal: ShardOrdinal): number {
    return this.peers.get(ordinal)?.heardAt ?? Number.NEGATIVE_INFINITY;
  }

  /** How long the present incarnation has been known; 0 for a shard that was never heard. */
  knownForMs(ordinal: ShardOrdinal, now: number): number {
    const peer = this.peers.get(ordinal);
    return peer === undefined || peer.incarnation === 0 ? 0 : now - peer.since;
  }

  /** 0 for a shard that was never heard. */
  incarnationOf(ordinal: ShardOrdinal): Incarnation {
    return this.peers.get(ordinal)?.incarnation ?? 0;
  }

  /** Its sending time in its last heartbeat, to be echoed; null before the first. */
  lastStamp(ordinal: ShardOrdinal): FreshStamp | null {
    const peer = this.peers.get(ordinal);
    if (peer === undefined || peer.sentAt === null) return null;
    return { echo: peer.sentAt, echoIncarnation: peer.incarnation };
  }

  private peerOf(ordinal: ShardOrdinal): Peer {
    let peer = this.peers.get(ordinal);
    if (peer === undefined) {
      peer = { heardAt: Number.NEGATIVE_INFINITY, incarnation: 0, since: 0, sentAt: null };
      this.peers.set(ordinal, peer);
    }
    return peer;
  }
}
