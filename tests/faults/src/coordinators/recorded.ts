/** What clients of the coordinators asked and were told, and what watchers saw. */
import type { KeyValue, WatchEvent } from '@ringleader/contracts';

/** Holds where the key is so: absent (0), or written for the last time at this revision. */
export interface Condition {
  readonly key: string;
  readonly modRevision: number;
}

/** `read` returns what the keys are; so does a transaction whose condition fails, of its condition's key. */
export interface Asked {
  readonly condition: Condition | null;
  /** A value, or null: deleted. Empty for a read. */
  readonly writes: ReadonlyMap<string, string | null>;
  readonly reads: readonly string[];
}

export interface Told {
  readonly revision: number;
  readonly succeeded: boolean;
  /** Whether the revision is its own: nothing was done where nothing was there to delete. */
  readonly isChange: boolean;
  /** Of the keys that were read, those that exist. */
  readonly items: readonly KeyValue[];
}

export interface Recorded {
  readonly process: number;
  readonly asked: Asked;
  /** Null: the outcome is unknown. */
  readonly told: Told | null;
  readonly invokedAt: number;
  readonly returnedAt: number;
}

/** As one call of a listener gave them. */
export type Delivery = readonly WatchEvent[];
