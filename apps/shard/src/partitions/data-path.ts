/**
 * The data path as the shard sees it: frames may be lost, repeated, delayed. Implemented over NATS. What is sent to one
 * member has room for its envelope in front; what comes is out of it.
 */
import type { FrameRefusal } from '@ringleader/contracts';
import type { ShardOrdinal } from '@ringleader/primitives';

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

export interface DataPath {
  /** From now on frames for this shard are handed to the listener. */
  listen(ordinal: ShardOrdinal, listener: DataPathListener): void;
  /** These never throw and never wait; while there is no connection the frame is dropped. */
  sendToPeer(shard: ShardOrdinal, frame: Buffer, lane: PeerLane): void;
  sendToGateway(gatewayId: string, frame: Buffer): void;
  announceLeaders(frame: Buffer): void;
  readonly isConnected: boolean;
}
