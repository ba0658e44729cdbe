/** What a shard is about, of all its sweeping. */
import type { HybridTime } from '@ringleader/primitives';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { SweepPace } from '../ready.js';

export interface Expired {
  readonly key: string;
  readonly expiresAt: HybridTime;
}

export interface Pass {
  readonly replica: Replica;
  readonly leader: Leader;
  /** The first key that was not looked at; null at the end. */
  next: string | null;
  isReading: boolean;
  /** The next one last. */
  readonly expired: Expired[];
  /** Of those that had expired, how many are not waiting here any more. */
  met: number;
}

export class Sweeps {
  current: Pass | null = null;
  nextLookAt: number;
  /** Rows that may be looked at now; below 0 it waits. */
  rows = 0;
  creditedAt: number;
  /** Rows that expire, written up to the last beat. */
  expiringBefore = 0;

  /** Without a pace rows stay until somebody asks for them. */
  constructor(
    readonly pace: SweepPace | null,
    startedAt: number,
  ) {
    this.nextLookAt = startedAt;
    this.creditedAt = startedAt;
  }
}
