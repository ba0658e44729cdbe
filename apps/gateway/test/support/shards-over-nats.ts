/** The shards in memory behind real NATS and the real codec: frames in, frames out, announcements on demand. */
import {
  ByteWriter,
  PIECE_BYTES,
  appendReply,
  contentOf,
  decodeRequestFrame,
  encodeLeadersFrame,
  speakerOf,
  startReplyFrame,
  subjects,
} from '@ringleader/contracts';
import type { RequestFrame } from '@ringleader/contracts';
import { type NatsConnection, Parcels } from '@ringleader/nats';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { InMemoryShards } from './in-memory-shards.js';

export class ShardsOverNats {
  malformed = 0;
  /** Requests are taken, and nobody ever answers. */
  isSilent = false;
  private readonly writer = new ByteWriter();

  constructor(
    private readonly connection: NatsConnection,
    private readonly cluster: string,
    private readonly shards: InMemoryShards,
  ) {
    for (const shard of shards.shards) this.serve(shard);
    connection.subscribe(subjects.leadersQuery.to(cluster), { callback: () => this.announce() });
  }

  announce(): void {
    for (const shard of this.shards.shards) {
      const led = this.shards.entries
        .map(({ partition, epoch }) => ({ partition, epoch, ballot: this.shards.ballot(partition) }))
        .filter(({ ballot }) => ballot % 65_536 === shard);
      this.connection.publish(
        subjects.leaders.from(this.cluster, { service: 'shard', member: shard }),
        encodeLeadersFrame(this.writer, { from: shard, hybridTime: Date.now() * 1_024 }, led),
      );
    }
  }

  private serve(shard: ShardOrdinal): void {
    // These shards speak the first version of the wire: without envelopes.
    const publish = (gatewayId: string, frame: Buffer): void =>
      this.publishBare(shard, gatewayId, contentOf(frame));
    const monotonicMs = (): number => performance.now();
    const parcels = new Parcels({ publish, publishReceipt: publish, monotonicMs, firstParcel: 1 });
    this.connection.subscribe(subjects.request.to(this.cluster, shard), {
      callback: (error, message) => {
        if (error !== null) return;
        const whole = parcels.take(speakerOf(message.subject)?.member ?? '', message.data);
        if (whole === null) return;
        const frame = decodeRequestFrame(whole);
        if (frame.kind === 'malformed') this.malformed += 1;
        else if (!this.isSilent) this.answer(shard, frame, parcels);
      },
    });
  }

  private answer(
    shard: ShardOrdinal,
    { gatewayId, hybridTime, requests }: RequestFrame,
    parcels: Parcels,
  ): void {
    startReplyFrame(this.writer, { servedBy: shard, hybridTime: hybridTime + 1 });
    for (const request of requests)
      appendReply(this.writer, request.token, this.shards.carryOut(request, shard));
    const frame = this.writer.take();
    if (frame.length <= PIECE_BYTES) this.publishBare(shard, gatewayId, frame);
    else parcels.send(gatewayId, { bytes: frame.length, topics: [], encode: () => [frame] });
  }

  private publishBare(shard: ShardOrdinal, gatewayId: string, frame: Uint8Array): void {
    const speaker = { service: 'shard', member: shard } as const;
    this.connection.publish(subjects.reply.from(this.cluster, speaker, gatewayId), frame);
  }
}
