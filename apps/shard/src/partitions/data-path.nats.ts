import { speakerOf, subjects } from '@ringleader/contracts';
import type { NatsLink, NatsLinks } from '@ringleader/nats';
import type { Logger } from '@ringleader/observability';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { DataPath, DataPathListener, PeerLane } from './data-path.js';

/**
 * What keeps partitions alive (short messages between shards, announcements) goes over the connection for control, rows
 * and requests over the one for bulk. Order holds on neither side of that line: the protocol takes loss, repetition and
 * reordering for granted (docs/ARCHITECTURE.md, "The services").
 */
export class NatsDataPath implements DataPath {
  /** Set with the ordinal, which the shard learns when it registers. */
  private ordinal: ShardOrdinal = 0;

  constructor(
    private readonly links: NatsLinks,
    private readonly cluster: string,
    private readonly logger: Logger,
  ) {}

  get isConnected(): boolean {
    return this.links.isConnected;
  }

  /** Frames that were not sent for want of a connection. */
  get dropped(): number {
    return this.links.control.counts.dropped + this.links.data.counts.dropped;
  }

  listen(ordinal: ShardOrdinal, listener: DataPathListener): void {
    this.ordinal = ordinal;
    const { cluster } = this;
    const { control, data } = this.links;
    const onPeerFrame = (frame: Uint8Array, from: string): void => listener.onPeerFrame(frame, from);
    this.subscribe(control, subjects.peer.to(cluster, ordinal), onPeerFrame);
    this.subscribe(data, subjects.peerBulk.to(cluster, ordinal), onPeerFrame);
    this.subscribe(data, subjects.request.to(cluster, ordinal), (frame, from) =>
      listener.onRequestFrame(frame, from),
    );
    this.subscribe(control, subjects.leadersQuery.to(cluster), () => listener.onLeadersQuery());
  }

  sendToPeer(shard: ShardOrdinal, frame: Buffer, lane: PeerLane): void {
    if (lane === 'control')
      this.links.control.publish(subjects.peer.from(this.cluster, this.self, shard), frame);
    else this.links.data.publish(subjects.peerBulk.from(this.cluster, this.self, shard), frame);
  }

  sendToGateway(gatewayId: string, frame: Buffer): void {
    this.links.data.publish(subjects.reply.from(this.cluster, this.self, gatewayId), frame);
  }

  announceLeaders(frame: Buffer): void {
    this.links.control.publish(subjects.leaders.from(this.cluster, this.self), frame);
  }

  private get self(): { readonly service: 'shard'; readonly member: ShardOrdinal } {
    return { service: 'shard', member: this.ordinal };
  }

  private subscribe(link: NatsLink, subject: string, take: (frame: Uint8Array, from: string) => void): void {
    link.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) take(message.data, speakerOf(message.subject)?.member ?? '');
        else this.logger.warn({ subject, error }, 'A subscription failed');
      },
    });
  }
}
