/** Frames to shards and back over NATS (libs/contracts/src/data-path has their form). */
import {
  ByteWriter,
  FRAME_BYTES_MAX,
  appendRequest,
  decodeReplyFrame,
  gatewayReplySubject,
  shardRequestSubject,
  startRequestFrame,
} from '@ringleader/contracts';
import type { FramedRequest, ReplyFrame } from '@ringleader/contracts';
import type { NatsConnection, Subscription } from '@ringleader/nats';
import type { HybridTime, ShardOrdinal } from '@ringleader/primitives';
import { invariant } from '@ringleader/primitives';
import type { ShardFrames } from '../routing/shard-frames.js';
import type { NatsLink } from './nats-link.js';

export interface NatsShardFramesOptions {
  readonly connection: NatsConnection;
  readonly link: NatsLink;
  readonly cluster: string;
  readonly gatewayId: string;
  readonly hybridNow: () => HybridTime;
}

export interface FrameCounters {
  sent: number;
  sentBytes: number;
  received: number;
  malformed: number;
}

export class NatsShardFrames implements ShardFrames {
  readonly counters: FrameCounters = { sent: 0, sentBytes: 0, received: 0, malformed: 0 };
  private readonly writer = new ByteWriter();
  private subscription: Subscription | null = null;

  constructor(private readonly options: NatsShardFramesOptions) {}

  get isOpen(): boolean {
    return this.options.link.isConnected;
  }

  send(shard: ShardOrdinal, requests: readonly FramedRequest[]): void {
    const { connection, cluster, gatewayId, hybridNow } = this.options;
    startRequestFrame(this.writer, { gatewayId, hybridTime: hybridNow() });
    for (const request of requests) appendRequest(this.writer, request);
    const frame = this.writer.take();
    invariant(frame.length < FRAME_BYTES_MAX, 'a channel keeps its frames below the limit');
    if (!this.isOpen) return;
    this.counters.sent += 1;
    this.counters.sentBytes += frame.length;
    connection.publish(shardRequestSubject(cluster, shard), frame);
  }

  onReplies(listener: (frame: ReplyFrame) => void): void {
    const { connection, cluster, gatewayId } = this.options;
    this.subscription = connection.subscribe(gatewayReplySubject(cluster, gatewayId), {
      callback: (error, message) => {
        if (error !== null) return;
        const frame = decodeReplyFrame(message.data);
        if (frame.kind === 'malformed') {
          this.counters.malformed += 1;
          return;
        }
        this.counters.received += 1;
        listener(frame);
      },
    });
  }

  close(): void {
    this.subscription?.unsubscribe();
  }
}
