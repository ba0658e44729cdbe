/** The data path as the shard sees it: frames may be lost, repeated, delayed. Implemented over NATS. */
import type { ShardOrdinal } from '@ringleader/primitives';

export interface DataPathListener {
  onPeerFrame(frame: Uint8Array): void;
  onRequestFrame(frame: Uint8Array): void;
  /** A gateway wants to hear at once what this shard leads. */
  onLeadersQuery(): void;
}

export interface DataPath {
  /** From now on frames for this shard are handed to the listener. */
  listen(ordinal: ShardOrdinal, listener: DataPathListener): void;
  /** These never throw and never wait; while there is no connection the frame is dropped. */
  sendToPeer(shard: ShardOrdinal, frame: Buffer): void;
  sendToGateway(gatewayId: string, frame: Buffer): void;
  announceLeaders(frame: Buffer): void;
  readonly isConnected: boolean;
}
