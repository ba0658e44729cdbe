import { subjects } from '@ringleader/contracts';
import type { FrameListener, NatsLinks } from '@ringleader/nats';
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
    const onPeerFrame: FrameListener = (frame, from) => listener.onPeerFrame(frame, from);
    control.frames.subscribe('peer', subjects.peer.to(cluster, ordinal), onPeerFrame);
    data.frames.subscribe('peerBulk', subjects.peerBulk.to(cluster, ordinal), onPeerFrame);
    data.frames.subscribe('request', subjects.request.to(cluster, ordinal), (frame, from) =>
      listener.onRequestFrame(frame, from),
    );
    control.frames.subscribe('leadersQuery', subjects.leadersQuery.to(cluster), () => {
      listener.onLeadersQuery();
      return null;
    });
  }

  sendToPeer(member: ShardOrdinal, frame: Buffer, lane: PeerLane): void {
    const { control, data } = this.links;
    const { cluster, self } = this;
    const to = { service: 'shard', member } as const;
    if (lane === 'control') control.frames.publish(subjects.peer.from(cluster, self, member), frame, to);
    else data.frames.publish(subjects.peerBulk.from(cluster, self, member), frame, to);
  }

  sendToGateway(member: string, frame: Buffer): void {
    const subject = subjects.reply.from(this.cluster, this.self, member);
    this.links.data.frames.publish(subject, frame, { service: 'gateway', member });
  }

  announceLeaders(frame: Buffer): void {
    this.links.control.frames.broadcast(subjects.leaders.from(this.cluster, this.self), frame);
  }

  private get self(): { readonly service: 'shard'; readonly member: ShardOrdinal } {
    return { service: 'shard', member: this.ordinal };
  }
}
