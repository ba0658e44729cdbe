import { randomInt } from 'node:crypto';
import { contentOf, PIECE_BYTES, subjects } from '@ringleader/contracts';
import type { Speaker } from '@ringleader/contracts';
import { type FrameListener, type NatsLinks, type Parcel, Parcels } from '@ringleader/nats';
import type { PeerBacklog } from '@ringleader/paxos';
import type { MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { DataPath, DataPathListener, PeerLane, Room } from './data-path.js';

const FIRST_PARCEL_MAX = 2 ** 40;

type Send<Member> = (member: Member, frame: Buffer) => boolean;

interface Senders {
  readonly peer: Send<ShardOrdinal>;
  readonly peerBulk: Send<ShardOrdinal>;
  readonly reply: Send<string>;
}

/**
 * What keeps partitions alive (short messages between shards, announcements) goes over the connection for control, rows
 * and requests over the one for bulk. Order holds on neither side of that line: the protocol takes loss, repetition and
 * reordering for granted (docs/ARCHITECTURE.md, "The services").
 */
export class NatsDataPath implements DataPath {
  /** Set with the ordinal, which the shard learns when it registers. */
  private ordinal: ShardOrdinal = 0;
  private senders: Senders;
  private readonly toPeers: Parcels;
  private readonly toGateways: Parcels;
  private room: Room = { forPeers: () => true, forGateways: () => true };
  readonly peerBacklog: PeerBacklog = {
    bytes: (peer) => this.toPeers.backlogBytes(String(peer)),
    heldSince: (peer) => this.toPeers.heldSince(String(peer)),
    holds: (peer, partition) => this.toPeers.holdsAny(String(peer), [partition]),
  };

  constructor(
    private readonly links: NatsLinks,
    private readonly cluster: string,
    monotonicMs: () => MonotonicMs,
  ) {
    this.senders = this.sendersAs(this.self);
    const common = { monotonicMs, firstParcel: randomInt(FIRST_PARCEL_MAX) };
    this.toPeers = new Parcels({
      ...common,
      publish: (to, frame) => this.sendToPeer(Number(to), frame, 'bulk'),
      // What frees the sender must not stand behind what is sent.
      publishReceipt: (to, frame) => this.sendToPeer(Number(to), frame, 'control'),
      hasRoom: () => this.room.forPeers(),
    });
    const toGateway = (to: string, frame: Buffer): void => this.publishToGateway(to, frame);
    this.toGateways = new Parcels({
      ...{ ...common, publish: toGateway, publishReceipt: toGateway },
      hasRoom: () => this.room.forGateways(),
    });
    links.data.onChange((isConnected) => {
      if (!isConnected) return;
      this.toPeers.reconnected();
      this.toGateways.reconnected();
    });
  }

  get isConnected(): boolean {
    return this.links.isConnected;
  }

  /** Frames that were not sent for want of a connection. */
  get dropped(): number {
    const { control, data } = this.links;
    return control.counts.dropped + data.counts.dropped + this.toPeers.lost + this.toGateways.lost;
  }

  listen(ordinal: ShardOrdinal, listener: DataPathListener): void {
    this.ordinal = ordinal;
    this.senders = this.sendersAs(this.self);
    const { cluster } = this;
    const { control, data } = this.links;
    const onPeerFrame: FrameListener = (bytes, from) => {
      const frame = this.toPeers.take(from, bytes);
      return frame === null ? null : listener.onPeerFrame(frame, from);
    };
    control.frames.subscribe('peer', subjects.peer.to(cluster, ordinal), onPeerFrame);
    data.frames.subscribe('peerBulk', subjects.peerBulk.to(cluster, ordinal), onPeerFrame);
    data.frames.subscribe('request', subjects.request.to(cluster, ordinal), (bytes, from) => {
      const frame = this.toGateways.take(from, bytes);
      return frame === null ? null : listener.onRequestFrame(frame, from);
    });
    control.frames.subscribe('leadersQuery', subjects.leadersQuery.to(cluster), () => {
      listener.onLeadersQuery();
      return null;
    });
  }

  sendToPeer(member: ShardOrdinal, frame: Buffer, lane: PeerLane): void {
    if (lane === 'control') this.senders.peer(member, frame);
    else this.senders.peerBulk(member, frame);
  }

  sendParcelToPeer(shard: ShardOrdinal, parcel: Parcel): void {
    this.toPeers.send(String(shard), parcel);
  }

  get carriesParcels(): boolean {
    return this.toPeers.isCarrying || this.toGateways.isCarrying;
  }

  holdsBack(shard: ShardOrdinal, partitions: readonly PartitionIndex[]): boolean {
    return this.toPeers.holdsAny(String(shard), partitions);
  }

  limit(room: Room): void {
    this.room = room;
  }

  roomChanged(): void {
    if (this.room.forPeers()) this.toPeers.giveReceipts();
    if (this.room.forGateways()) this.toGateways.giveReceipts();
  }

  sendToGateway(gatewayId: string, frame: Buffer): void {
    if (frame.length <= PIECE_BYTES) this.publishToGateway(gatewayId, frame);
    else
      this.toGateways.send(gatewayId, { bytes: frame.length, topics: [], encode: () => [contentOf(frame)] });
  }

  gatewayBacklogBytes(gatewayId: string): number {
    return this.toGateways.backlogBytes(gatewayId);
  }

  private publishToGateway(member: string, frame: Buffer): void {
    this.senders.reply(member, frame);
  }

  /** The subjects hold the ordinal. */
  private sendersAs(self: Speaker<'shard'>): Senders {
    const { cluster } = this;
    const { control, data } = this.links;
    return {
      peer: control.frames.sender('shard', (to) => subjects.peer.from(cluster, self, to)),
      peerBulk: data.frames.sender('shard', (to) => subjects.peerBulk.from(cluster, self, to)),
      reply: data.frames.sender('gateway', (to) => subjects.reply.from(cluster, self, to)),
    };
  }

  announceLeaders(frame: Buffer): void {
    this.links.control.frames.broadcast(subjects.leaders.from(this.cluster, this.self), frame);
  }

  private get self(): { readonly service: 'shard'; readonly member: ShardOrdinal } {
    return { service: 'shard', member: this.ordinal };
  }
}
