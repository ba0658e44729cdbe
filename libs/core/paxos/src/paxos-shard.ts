import type { Incarnation, Prng, ShardOrdinal } from '@ringleader/primitives';
import type { ShardMessage } from './messages.js';
import type { PartitionAssignment, PartitionStatus, PaxosLimits, PaxosTimings, Ready } from './ready.js';
import type { PartitionRecord } from './records.js';
import type { ShardRequest } from './requests.js';
import type { PaxosRules } from './rules/rules.js';
import type { StampTime, StorageReadResult } from './storage.js';

export interface PaxosShardOptions {
  readonly ordinal: ShardOrdinal;
  readonly incarnation: Incarnation;
  readonly timings: PaxosTimings;
  readonly limits: PaxosLimits;
  /** What the storage holds, each partition once. */
  readonly records: readonly PartitionRecord[];
  readonly stamp: StampTime;
  readonly prng: Prng;
  readonly rules?: PaxosRules;
  /** Monotonic milliseconds: the restart wait (4.4.4) counts from here. */
  readonly startedAt: number;
}

export class PaxosShard {
  constructor(readonly options: PaxosShardOptions) {}

  learnMap(_assignments: readonly PartitionAssignment[], _now: number): void {}
  receive(_from: ShardOrdinal, _message: ShardMessage, _now: number): void {}
  submit(_request: ShardRequest, _now: number): void {}
  transactionDurable(_id: number, _now: number): void {}
  readDone(_result: StorageReadResult, _now: number): void {}
  tick(_now: number, _wallNow: number): void {}
  nextDeadline(): number {
    return Number.POSITIVE_INFINITY;
  }
  takeReady(): Ready {
    return { transaction: null, reads: [], removals: [], messages: [], replies: [], events: [] };
  }
  releaseAll(_now: number): void {}
  status(): PartitionStatus[] {
    return [];
  }
}
