/** What clients asked for, known to the checks alone: a row's request ids lead back to it. */
import type { Condition, DeleteOperation, PutOperation } from '@ringleader/paxos';
import type { PartitionIndex, Revision } from '@ringleader/primitives';

export interface ClientWrite {
  readonly kind: 'write';
  readonly number: number;
  readonly partition: PartitionIndex;
  readonly requestId: string;
  readonly body: PutOperation | DeleteOperation;
  readonly invokedAt: number;
  /** How much of the partition's history was committed when the client asked. */
  readonly topAtInvoke: Revision;
  /** Set by the gateway's answer to the client. */
  outcome: WriteOutcome | null;
  /** Requests that reached a shard, by that shard's handle; `refused` ones did nothing. */
  readonly deliveries: Map<string, 'pending' | 'refused'>;
}

export type WriteOutcome =
  | { readonly kind: 'written'; readonly revision: Revision }
  | { readonly kind: 'failed' }
  | { readonly kind: 'unknown' };

export interface KeyState {
  /** 0 and 0 where the key does not exist. */
  readonly revision: Revision;
  readonly version: number;
}

export const ABSENT: KeyState = { revision: 0, version: 0 };

export function conditionsHold(conditions: readonly Condition[], state: KeyState): boolean {
  return conditions.every((condition) => {
    switch (condition.kind) {
      case 'ifAbsent':
        return state.revision === 0;
      case 'ifPresent':
        return state.revision !== 0;
      case 'ifRevision':
        return state.revision !== 0 && state.revision === condition.revision;
      case 'ifVersion':
        return state.revision !== 0 && state.version === condition.version;
    }
  });
}
