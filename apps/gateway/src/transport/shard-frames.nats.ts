/** Frames to shards and back over NATS (libs/contracts/src/data-path has their form). */
import {
  ByteWriter,
  FRAME_BYTES_MAX,
  appendRequest,
  decodeReplyFrame,
  refusalOf,
  reserveEnvelope,
  startRequestFrame,
  subjects,
} from '@ringleader/contracts';
import type { FramedRequest, ReplyFrame } from '@ringleader/contracts';
import type { NatsLink, Subscription } from '@ringleader/nats';
import type { HybridTime, ShardOrdinal } from '@ringleader/primitives';
import { invariant } from '@ringleader/primitives';
import type { ShardFrames } from '../routing/shard-frames.js';

export interface NatsShardFramesOptions {
  readonly link: NatsLink;
  readonly cluster: string;
  readonly gatewayId: string;
  readonly hybridNow: () => HybridTime;
}

export interface FrameCounters {
  sent: number;
  sentBytes: number;
  received: number;
}

export class NatsShardFrames implements ShardFrames {
  readonly counters: FrameCounters = { sent: 0, sentBytes: 0, received: 0 };
  private readonly writer = new ByteWriter();
  private subscription: Subscription | null = null;

  constructor(private readonly options: NatsShardFramesOptions) {}

  get isOpen(): boolean {
    return this.options.link.isConnected;
  }

  send(shard: ShardOrdinal, requests: readonly FramedRequest[]): void {
    const { link, cluster, gatewayId, hybridNow } = this.options;
    reserveEnvelope(this.writer);
    startRequestFrame(this.writer, { gatewayId, hybridTime: hybridNow() });
    for (const request of requests) appendRequest(this.writer, request);
    const frame = this.writer.take();
    invariant(frame.length < FRAME_BYTES_MAX, 'a channel keeps its frames below the limit');
    const speaker = { service: 'gateway', member: gatewayId } as const;
    const subject = subjects.request.from(cluster, speaker, shard);
    if (!link.frames.publish(subject, frame, { service: 'shard', member: shard })) return;
    this.counters.sent += 1;
    this.counters.sentBytes += frame.length;
  }

  onReplies(listener: (frame: ReplyFrame) => void): void {
    const { link, cluster, gatewayId } = this.options;
    const subject = subjects.reply.to(cluster, gatewayId);
    this.subscription = link.frames.subscribe('reply', subject, (content, speaker) => {
      const frame = decodeReplyFrame(content);
      if (frame.kind === 'malformed') return refusalOf(frame);
      if (String(frame.servedBy) !== speaker) return 'misattributed';
      this.counters.received += 1;
      listener(frame);
      return null;
    });
  }

  close(): void {
    this.subscription?.unsubscribe();
  }
}
