/** Frames to shards and back over NATS, and what shards announce (libs/contracts/src/data-path has the form of both). */
import { randomInt } from 'node:crypto';
import {
  ByteWriter,
  FRAME_BYTES_MAX,
  PIECE_BYTES,
  appendRequest,
  contentOf,
  decodeLeadersFrame,
  decodeReplyFrame,
  refusalOf,
  reserveEnvelope,
  startRequestFrame,
  subjects,
} from '@ringleader/contracts';
import type { FrameRefusal, FramedRequest, ReplyFrame } from '@ringleader/contracts';
import { type NatsLink, Parcels, type Subscription, WINDOW_BYTES } from '@ringleader/nats';
import type { HybridTime, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { invariant } from '@ringleader/primitives';
import type { LeaderTable } from './routing-table.js';
import type { ShardFrames } from './shard-channel.js';

export interface NatsShardFramesOptions {
  readonly link: NatsLink;
  readonly cluster: string;
  readonly gatewayId: string;
  readonly hybridNow: () => HybridTime;
  readonly monotonicMs: () => MonotonicMs;
}

const FIRST_PARCEL_MAX = 2 ** 40;

export interface FrameCounters {
  sent: number;
  sentBytes: number;
  received: number;
}

export class NatsShardFrames implements ShardFrames {
  readonly counters: FrameCounters = { sent: 0, sentBytes: 0, received: 0 };
  private readonly writer = new ByteWriter();
  private subscription: Subscription | null = null;
  private readonly parcels: Parcels;
  private roomListener: (shard: ShardOrdinal) => void = () => undefined;

  constructor(private readonly options: NatsShardFramesOptions) {
    const { link, monotonicMs } = options;
    const publish = (to: string, frame: Buffer): void => void this.publish(Number(to), frame);
    this.parcels = new Parcels({
      ...{ publish, publishReceipt: publish, monotonicMs, firstParcel: randomInt(FIRST_PARCEL_MAX) },
      onProgress: (to) => this.roomListener(Number(to)),
    });
    link.onChange((isConnected) => {
      if (isConnected) this.parcels.reconnected();
    });
  }

  get isOpen(): boolean {
    return this.options.link.isConnected;
  }

  send(shard: ShardOrdinal, requests: readonly FramedRequest[]): void {
    const { gatewayId, hybridNow } = this.options;
    reserveEnvelope(this.writer);
    startRequestFrame(this.writer, { gatewayId, hybridTime: hybridNow() });
    for (const request of requests) appendRequest(this.writer, request);
    const frame = this.writer.take();
    invariant(frame.length < FRAME_BYTES_MAX, 'a channel keeps its frames below the limit');
    if (frame.length <= PIECE_BYTES) {
      if (!this.publish(shard, frame)) return;
    } else {
      this.parcels.send(String(shard), { bytes: frame.length, topics: [], encode: () => contentOf(frame) });
    }
    this.counters.sent += 1;
    this.counters.sentBytes += frame.length;
  }

  hasRoom(shard: ShardOrdinal): boolean {
    return this.parcels.backlogBytes(String(shard)) < WINDOW_BYTES;
  }

  onRoom(listener: (shard: ShardOrdinal) => void): void {
    this.roomListener = listener;
  }

  onReplies(listener: (frame: ReplyFrame) => void): void {
    const { link, cluster, gatewayId } = this.options;
    const subject = subjects.reply.to(cluster, gatewayId);
    this.subscription = link.frames.subscribe('reply', subject, (content, speaker) => {
      const whole = this.parcels.take(speaker, content);
      if (whole === null) return null;
      const frame = decodeReplyFrame(whole);
      if (frame.kind === 'malformed') return refusalOf(frame);
      if (String(frame.servedBy) !== speaker) return 'misattributed';
      this.counters.received += 1;
      listener(frame);
      return null;
    });
  }

  close(): void {
    this.subscription?.unsubscribe();
    this.parcels.close();
  }

  private publish(shard: ShardOrdinal, frame: Buffer): boolean {
    const { link, cluster, gatewayId } = this.options;
    const speaker = { service: 'gateway', member: gatewayId } as const;
    const subject = subjects.request.from(cluster, speaker, shard);
    return link.frames.publish(subject, frame, { service: 'shard', member: shard });
  }
}

export interface LeaderAnnouncementsOptions {
  readonly link: NatsLink;
  readonly cluster: string;
  readonly gatewayId: string;
  readonly leaders: LeaderTable;
  readonly monotonicMs: () => MonotonicMs;
  /** Takes over the clock of every announcement (docs/PROTOCOL.md 4.7.2). */
  readonly mergeClock: (heard: HybridTime) => void;
  readonly onChange: (partitions: ReadonlySet<PartitionIndex>) => void;
}

/** Hears which shard leads what, and asks all shards when it has reason to think that it missed something. */
export class LeaderAnnouncements {
  private subscription: Subscription | null = null;

  constructor(private readonly options: LeaderAnnouncementsOptions) {}

  start(): void {
    const { link, cluster } = this.options;
    const subject = subjects.leaders.to(cluster);
    this.subscription = link.frames.subscribe('leaders', subject, (content, speaker) =>
      this.take(content, speaker),
    );
    link.onChange((isConnected) => {
      // What was announced meanwhile was missed.
      if (isConnected) this.ask();
    });
    this.ask();
  }

  close(): void {
    this.subscription?.unsubscribe();
  }

  private ask(): void {
    const { link, cluster, gatewayId } = this.options;
    link.publish(subjects.leadersQuery.from(cluster, { service: 'gateway', member: gatewayId }));
  }

  private take(content: Uint8Array, speaker: string): FrameRefusal | null {
    const frame = decodeLeadersFrame(content);
    // A malformed announcement is as good as a lost one: it is repeated. So is one that speaks for another shard.
    if (frame.kind === 'malformed') return refusalOf(frame);
    if (String(frame.from) !== speaker) return 'misattributed';
    const { leaders, monotonicMs, mergeClock, onChange } = this.options;
    mergeClock(frame.hybridTime);
    const now = monotonicMs();
    const changed = new Set<PartitionIndex>();
    for (const leadership of frame.leaderships) {
      if (leaders.announce(frame.from, leadership, now)) changed.add(leadership.partition);
    }
    if (changed.size > 0) onChange(changed);
    return null;
  }
}
