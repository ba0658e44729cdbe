/**
 * The data path as the shard sees it: frames may be lost, repeated, delayed. Implemented over NATS. What is sent to one
 * member has room for its envelope in front; what comes is out of it.
 */
import type { FrameRefusal } from '@ringleader/contracts';
import type { Parcel } from '@ringleader/nats';
import type { PeerBacklog } from '@ringleader/paxos';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';

/** Two ways to a peer, so that what keeps partitions alive does not stand behind rows. They overtake each other. */
export type PeerLane = 'control' | 'bulk';

export interface DataPathListener {
  /** `from` is who speaks, as the transport vouches for it: an ordinal. Says why a frame is dropped. */
  onPeerFrame(frame: Uint8Array, from: string): FrameRefusal | null;
  /** `from`: a gateway's name. */
  onRequestFrame(frame: Uint8Array, from: string): FrameRefusal | null;
  /** A gateway wants to hear at once what this shard leads. */
  onLeadersQuery(): void;
}

/** Asked when something long arrives, so: now. */
export interface Room {
  forPeers(): boolean;
  forGateways(): boolean;
}

export interface DataPath {
  /** From now on frames for this shard are handed to the listener. */
  listen(ordinal: ShardOrdinal, listener: DataPathListener): void;
  /** For frames longer than a piece: in pieces, behind others like it, at the pace of the receiver. */
  sendParcelToPeer(shard: ShardOrdinal, parcel: Parcel): void;
  /** Must a frame about these partitions wait behind longer ones? */
  holdsBack(shard: ShardOrdinal, partitions: readonly PartitionIndex[]): boolean;
  /** Does anything long wait, or is on its way over the lane for bulk? Then what is sent there may come late. */
  readonly carriesParcels: boolean;
  readonly peerBacklog: PeerBacklog;
  /** Receipts for long frames wait until there is room. */
  limit(room: Room): void;
  /** There may be room again. */
  roomChanged(): void;
  /** These never throw and never wait; while there is no connection the frame is dropped. */
  sendToPeer(shard: ShardOrdinal, frame: Buffer, lane: PeerLane): void;
  sendToGateway(gatewayId: string, frame: Buffer): void;
  gatewayBacklogBytes(gatewayId: string): number;
  announceLeaders(frame: Buffer): void;
  readonly isConnected: boolean;
}
