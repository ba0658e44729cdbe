/** The shards in memory behind real NATS and the real codec: frames in, frames out, announcements on demand. */
import {
  ByteWriter,
  appendReply,
  decodeRequestFrame,
  encodeLeadersFrame,
  gatewayReplySubject,
  leadersQuerySubject,
  leadersSubject,
  shardRequestSubject,
  startReplyFrame,
} from '@ringleader/contracts';
import type { RequestFrame } from '@ringleader/contracts';
import type { NatsConnection } from '@ringleader/nats';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { InMemoryShards } from './in-memory-shards.js';

export class ShardsOverNats {
  malformed = 0;
  private readonly writer = new ByteWriter();

  constructor(
    private readonly connection: NatsConnection,
    private readonly cluster: string,
    private readonly shards: InMemoryShards,
  ) {
    for (const shard of shards.shards) this.serve(shard);
    connection.subscribe(leadersQuerySubject(cluster), { callback: () => this.announce() });
  }

  announce(): void {
    for (const shard of this.shards.shards) {
      const led = this.shards.entries
        .map(({ partition, epoch }) => ({ partition, epoch, ballot: this.shards.ballot(partition) }))
        .filter(({ ballot }) => ballot % 65_536 === shard);
      this.connection.publish(leadersSubject(this.cluster), encodeLeadersFrame(this.writer, shard, led));
    }
  }

  private serve(shard: ShardOrdinal): void {
    this.connection.subscribe(shardRequestSubject(this.cluster, shard), {
      callback: (error, message) => {
        if (error !== null) return;
        const frame = decodeRequestFrame(message.data);
        if (frame.kind === 'malformed') this.malformed += 1;
        else this.answer(shard, frame);
      },
    });
  }

  private answer(shard: ShardOrdinal, { gatewayId, hybridTime, requests }: RequestFrame): void {
    startReplyFrame(this.writer, { servedBy: shard, hybridTime: hybridTime + 1 });
    for (const request of requests)
      appendReply(this.writer, request.token, this.shards.carryOut(request, shard));
    this.connection.publish(gatewayReplySubject(this.cluster, gatewayId), this.writer.take());
  }
}
