/** What travels in the simulated network, before it is encoded and after it was decoded (`wire.ts`). */
import type { Ballot, Epoch, HybridTime, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { ShardMessage, ShardReply, ShardRequest } from '@ringleader/paxos';

/** One try of a client's operation at one shard. */
export interface Attempt {
  readonly operation: number;
  readonly number: number;
}

/** A request without what the receiving shard adds: its token and its reading of the deadline. */
export type RequestBody = DistributiveOmit<ShardRequest, 'token' | 'deadline'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface LeaderNotice {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly ballot: Ballot;
  readonly leader: ShardOrdinal;
}

export type SimMessage =
  /** With the sender's hybrid clock, which receivers merge. */
  | { readonly kind: 'peer'; readonly message: ShardMessage; readonly hybridTime: HybridTime }
  | {
      readonly kind: 'request';
      readonly attempt: Attempt;
      readonly body: RequestBody;
      readonly timeoutMs: number;
      readonly hybridTime: HybridTime;
    }
  | {
      readonly kind: 'reply';
      readonly attempt: Attempt;
      readonly reply: ShardReply;
      /** The shard's clock, which gateways merge (docs/PROTOCOL.md 4.7.2). */
      readonly hybridTime: HybridTime;
    }
  | {
      readonly kind: 'leaders';
      readonly notices: readonly LeaderNotice[];
      readonly hybridTime: HybridTime;
    };
