/**
 * The way to the shards and back, as the router sees it. Requests and replies may be lost; replies may come in any order.
 * Implemented over NATS (shard-frames.nats.ts) and, for tests, in memory.
 */
import type { FramedRequest, ReplyFrame } from '@ringleader/contracts';
import type { ShardOrdinal } from '@ringleader/primitives';

export interface ShardFrames {
  /** False while nothing that is sent would arrive. */
  readonly isOpen: boolean;
  /** Sends the requests as one frame: below FRAME_BYTES_MAX, which the caller sees to. Never throws, never waits. */
  send(shard: ShardOrdinal, requests: readonly FramedRequest[]): void;
  /** Would a long frame leave at once? Otherwise it had better wait where it is: it would wait in line. */
  hasRoom(shard: ShardOrdinal): boolean;
  /** Called once: to hear when a shard has taken some of what was sent. */
  onRoom(listener: (shard: ShardOrdinal) => void): void;
  /** Called once, before anything is sent. */
  onReplies(listener: (frame: ReplyFrame) => void): void;
}
