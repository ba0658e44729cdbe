import {
  gatewayReplySubject,
  leadersQuerySubject,
  leadersSubject,
  shardPeerSubject,
  shardRequestSubject,
} from '@ringleader/contracts';
import type { NatsConnection } from '@ringleader/nats';
import type { Logger } from '@ringleader/observability';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { DataPath, DataPathListener } from './data-path.js';

export class NatsDataPath implements DataPath {
  private connected = true;
  private droppedTotal = 0;

  constructor(
    private readonly connection: NatsConnection,
    private readonly cluster: string,
    private readonly logger: Logger,
  ) {
    void this.followConnection();
  }

  get isConnected(): boolean {
    return this.connected;
  }

  /** Frames that were not sent for want of a connection. */
  get dropped(): number {
    return this.droppedTotal;
  }

  listen(ordinal: ShardOrdinal, listener: DataPathListener): void {
    this.subscribe(shardPeerSubject(this.cluster, ordinal), (frame) => listener.onPeerFrame(frame));
    this.subscribe(shardRequestSubject(this.cluster, ordinal), (frame) => listener.onRequestFrame(frame));
    this.subscribe(leadersQuerySubject(this.cluster), () => listener.onLeadersQuery());
  }

  sendToPeer(shard: ShardOrdinal, frame: Buffer): void {
    this.publish(shardPeerSubject(this.cluster, shard), frame);
  }

  sendToGateway(gatewayId: string, frame: Buffer): void {
    this.publish(gatewayReplySubject(this.cluster, gatewayId), frame);
  }

  announceLeaders(frame: Buffer): void {
    this.publish(leadersSubject(this.cluster), frame);
  }

  private subscribe(subject: string, take: (frame: Uint8Array) => void): void {
    this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) take(message.data);
        else this.logger.warn({ subject, error }, 'A subscription failed');
      },
    });
  }

  /** The client would keep what is published while it has no connection, without a bound, for who no longer waits. */
  private publish(subject: string, frame: Buffer): void {
    if (this.connected && !this.connection.isClosed()) this.connection.publish(subject, frame);
    else this.droppedTotal += 1;
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') this.connected = false;
      else if (status.type === 'reconnect') this.connected = true;
      else continue;
      this.logger.info({ status: status.type }, 'The connection to NATS changed');
    }
  }
}
