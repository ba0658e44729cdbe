/**
 * What the transport still has of what was sent to a peer. Rows are sent at the pace at which the peer takes them, so
 * that megabytes never stand between two shards: whoever sends looks here first, and does not repeat what waits.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { PeerProgress } from '../partition/leader.js';
import type { PaxosLimits, PaxosTimings } from '../ready.js';

export interface PeerBacklog {
  /** Bytes that wait or are on their way, as far as they were not taken. */
  bytes(peer: ShardOrdinal): number;
  /** When the oldest of them was handed over; Infinity where nothing is. */
  heldSince(peer: ShardOrdinal): number;
  /** Does something about the partition still wait here? What follows it stays behind it. */
  holds(peer: ShardOrdinal, partition: PartitionIndex): boolean;
}

export const NO_BACKLOG: PeerBacklog = {
  bytes: () => 0,
  heldSince: () => Number.POSITIVE_INFINITY,
  holds: () => false,
};

/** Said in full: the parts of a shard are made of this file. */
export interface BacklogPort {
  readonly now: number;
  readonly limits: PaxosLimits;
  readonly timings: PaxosTimings;
  readonly backlog: PeerBacklog;
}

/** For each so many bytes that a peer was sent it has another `resendIntervalMs` to answer. */
const BYTES_PER_INTERVAL = 128 * 1_024;

export function isFull({ backlog, limits }: BacklogPort, peer: ShardOrdinal): boolean {
  return backlog.bytes(peer) >= limits.peerBacklogBytesMax;
}

export function isUnderWay({ backlog }: BacklogPort, peer: ShardOrdinal, sentAt: number): boolean {
  return sentAt >= backlog.heldSince(peer);
}

/** May what it was asked last still be answered? Its time begins when the last of it has left. */
export function mayStillAnswer(
  context: BacklogPort,
  peer: ShardOrdinal,
  progress: PeerProgress,
  bytes: number,
): boolean {
  const { now, timings } = context;
  const answerMs = timings.resendIntervalMs * (1 + Math.floor(bytes / BYTES_PER_INTERVAL));
  if (isUnderWay(context, peer, progress.askedAt)) {
    progress.answersBy = now + answerMs;
    return true;
  }
  return now < Math.max(progress.askedAt + answerMs, progress.answersBy);
}

/**
 * Large answers of a repair or a copy: what is read for them, and when they were given. A repeated request is not read
 * for, nor answered, twice.
 */
export class RowsServed {
  private readonly at = new Map<ShardOrdinal, Map<PartitionIndex, number>>();
  private readonly reading = new Map<ShardOrdinal, Set<PartitionIndex>>();

  /** Until `readEnds`, which follows whatever becomes of the read. */
  readBegins(peer: ShardOrdinal, partition: PartitionIndex): void {
    let ofPeer = this.reading.get(peer);
    if (ofPeer === undefined) {
      ofPeer = new Set();
      this.reading.set(peer, ofPeer);
    }
    ofPeer.add(partition);
  }

  readEnds(peer: ShardOrdinal, partition: PartitionIndex): void {
    this.reading.get(peer)?.delete(partition);
  }

  note(peer: ShardOrdinal, partition: PartitionIndex, now: number): void {
    let ofPeer = this.at.get(peer);
    if (ofPeer === undefined) {
      ofPeer = new Map();
      this.at.set(peer, ofPeer);
    }
    ofPeer.set(partition, now);
  }

  /** Is an answer about this partition being read, or the last one still on its way to the peer? */
  isUnderWay(context: BacklogPort, peer: ShardOrdinal, partition: PartitionIndex): boolean {
    if (this.reading.get(peer)?.has(partition) === true) return true;
    const at = this.at.get(peer)?.get(partition);
    return at !== undefined && isUnderWay(context, peer, at);
  }
}
