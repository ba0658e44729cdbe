/**
 * What waits to be sent to one shard. One frame is in flight at first, and what comes meanwhile is gathered for the next:
 * the busier the shard, the larger the frames. The first answer to a frame sends the next one, since the shard answers
 * what it finished together in one frame as well. A frame that is slow to be answered (a lost one, or a partition that
 * waits for a majority) holds up the others for a few milliseconds only.
 *
 * Large requests go one by one, as the shard takes them, and the others pass by.
 */
import { PIECE_BYTES } from '@ringleader/contracts';
import type { FramedRequest, ReplyFrame } from '@ringleader/contracts';
import type { MonotonicMs, ShardOrdinal } from '@ringleader/primitives';

/**
 * The way to the shards and back. Requests and replies may be lost; replies may come in any order. Implemented over NATS
 * (data-path.nats.ts) and, for tests, in memory.
 */
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

export interface QueuedRequest {
  /** About what it takes in a frame. */
  readonly bytes: number;
  /** Null when it need not be sent any more. Called once, when its frame is made. */
  frame(token: number, shard: ShardOrdinal): FramedRequest | null;
}

export interface ShardChannelLimits {
  readonly queuedRequestsMax: number;
  readonly queuedBytesMax: number;
  /** How long a frame without an answer holds up the next one. */
  readonly stallMs: number;
}

export const DEFAULT_CHANNEL_LIMITS: ShardChannelLimits = {
  queuedRequestsMax: 20_000,
  queuedBytesMax: 67_108_864,
  stallMs: 8,
};

/** Timers and the end of the event loop's present turn, for tests to replace. */
export interface Scheduler {
  /** After what is ready now was handled. */
  soon(task: () => void): void;
  after(delayMs: number, task: () => void): void;
}

export const nodeScheduler: Scheduler = {
  soon: (task) => void setImmediate(task),
  after: (delayMs, task) => void setTimeout(task, delayMs),
};

export interface ShardChannelOptions {
  readonly frames: ShardFrames;
  readonly limits: ShardChannelLimits;
  readonly scheduler: Scheduler;
  /** Counts up over all channels, so that a token tells how old a request is. */
  readonly nextToken: () => number;
  readonly monotonicMs: () => MonotonicMs;
}

/** With one of these at its end a frame is still no longer than a piece. */
const LARGE_BYTES = 32 * 1024;

export class ShardChannel {
  private queue: QueuedRequest[] = [];
  /** Those of which a few fill a frame. */
  private large: QueuedRequest[] = [];
  private queuedBytes = 0;
  private flushPlanned = false;
  private stallPlanned = false;
  /** The first token of the last frame; null when that frame was answered. */
  private unanswered: number | null = null;
  private sentAt: MonotonicMs = 0;

  constructor(
    private readonly shard: ShardOrdinal,
    private readonly options: ShardChannelOptions,
  ) {}

  get queued(): number {
    return this.queue.length + this.large.length;
  }

  /** False when the queue is full. */
  offer(request: QueuedRequest): boolean {
    const { queuedRequestsMax, queuedBytesMax } = this.options.limits;
    if (this.queued >= queuedRequestsMax) return false;
    if (this.queued > 0 && this.queuedBytes + request.bytes > queuedBytesMax) return false;
    this.queuedBytes += request.bytes;
    if (request.bytes > LARGE_BYTES) {
      this.large.push(request);
      this.options.scheduler.soon(() => this.sendLarge());
    } else {
      this.queue.push(request);
      this.plan();
    }
    return true;
  }

  /** The shard has taken some of what was sent. */
  sendLarge(): void {
    const { frames, nextToken } = this.options;
    while (this.large.length > 0 && frames.hasRoom(this.shard)) {
      const queued = this.large.shift() as QueuedRequest;
      this.queuedBytes -= queued.bytes;
      const request = queued.frame(nextToken(), this.shard);
      if (request !== null) frames.send(this.shard, [request]);
    }
  }

  answered(token: number): void {
    if (this.unanswered === null || token < this.unanswered) return;
    this.unanswered = null;
    this.plan();
  }

  private plan(): void {
    if (this.queue.length === 0) return;
    if (this.unanswered !== null) {
      this.planStall();
    } else if (!this.flushPlanned) {
      this.flushPlanned = true;
      this.options.scheduler.soon(() => {
        this.flushPlanned = false;
        this.flush();
      });
    }
  }

  private planStall(): void {
    if (this.stallPlanned) return;
    this.stallPlanned = true;
    const waitedMs = this.options.monotonicMs() - this.sentAt;
    this.options.scheduler.after(Math.max(1, this.options.limits.stallMs - waitedMs), () => {
      this.stallPlanned = false;
      if (
        this.unanswered !== null &&
        this.options.monotonicMs() - this.sentAt >= this.options.limits.stallMs
      ) {
        this.unanswered = null;
      }
      this.plan();
    });
  }

  private flush(): void {
    const requests: FramedRequest[] = [];
    let first: number | null = null;
    let bytes = 0;
    let taken = 0;
    while (taken < this.queue.length && bytes < PIECE_BYTES - LARGE_BYTES) {
      const queued = this.queue[taken] as QueuedRequest;
      const token = this.options.nextToken();
      const request = queued.frame(token, this.shard);
      taken += 1;
      this.queuedBytes -= queued.bytes;
      if (request === null) continue;
      first ??= token;
      bytes += queued.bytes;
      requests.push(request);
    }
    this.queue = taken === this.queue.length ? [] : this.queue.slice(taken);
    if (first !== null) {
      this.unanswered = first;
      this.sentAt = this.options.monotonicMs();
      this.options.frames.send(this.shard, requests);
    }
    this.plan();
  }
}
