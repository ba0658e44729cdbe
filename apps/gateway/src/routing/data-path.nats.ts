/** Frames to shards and back over NATS, and what shards announce (libs/contracts/src/data-path has the form of both). */
import { randomInt } from 'node:crypto';
import {
  ByteWriter,
  FRAME_BYTES_MAX,
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
/** The channel sends such a request alone. */
const LONG_VALUE_BYTES = 64 * 1024;
const BYTES_BESIDE_VALUES = 8 * 1024;
const EMPTY = Buffer.alloc(0);

export interface FrameCounters {
  sent: number;
  sentBytes: number;
  received: number;
}

export class NatsShardFrames implements ShardFrames {
  readonly counters: FrameCounters = { sent: 0, sentBytes: 0, received: 0 };
  private readonly writer = new ByteWriter();
  private subscription: Subscription | null = null;
  private readonly publish: (shard: ShardOrdinal, frame: Buffer) => boolean;
  private readonly parcels: Parcels;
  private roomListener: (shard: ShardOrdinal) => void = () => undefined;

  constructor(private readonly options: NatsShardFramesOptions) {
    const { link, cluster, gatewayId, monotonicMs } = options;
    const speaker = { service: 'gateway', member: gatewayId } as const;
    this.publish = link.frames.sender('shard', (shard) => subjects.request.from(cluster, speaker, shard));
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
    const bytes = requests.some(isLong) ? this.sendLong(shard, requests) : this.sendShort(shard, requests);
    if (bytes === 0) return;
    this.counters.sent += 1;
    this.counters.sentBytes += bytes;
  }

  private sendShort(shard: ShardOrdinal, requests: readonly FramedRequest[]): number {
    this.write(this.writer, requests);
    const frame = this.writer.take();
    return this.publish(shard, frame) ? frame.length : 0;
  }

  /** Values are not copied before pieces are cut of them. */
  private sendLong(shard: ShardOrdinal, requests: readonly FramedRequest[]): number {
    const writer = ByteWriter.referring(BYTES_BESIDE_VALUES);
    this.write(writer, requests);
    const [first = EMPTY, ...others] = writer.takeParts();
    const parts = [contentOf(first), ...others];
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    invariant(bytes < FRAME_BYTES_MAX, 'a channel keeps its frames below the limit');
    this.parcels.send(String(shard), { bytes, topics: [], encode: () => parts });
    return bytes;
  }

  private write(writer: ByteWriter, requests: readonly FramedRequest[]): void {
    const { gatewayId, hybridNow } = this.options;
    reserveEnvelope(writer);
    startRequestFrame(writer, { gatewayId, hybridTime: hybridNow() });
    for (const request of requests) appendRequest(writer, request);
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
    // A frame as any other: it says what the gateway understands, and takes nothing of that back.
    link.frames.broadcast(
      subjects.leadersQuery.from(cluster, { service: 'gateway', member: gatewayId }),
      EMPTY,
    );
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

function isLong(request: FramedRequest): boolean {
  return (
    request.kind === 'write' &&
    request.operation.kind === 'put' &&
    request.operation.value.length > LONG_VALUE_BYTES
  );
}
