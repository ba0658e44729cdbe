/** What a run is, apart from its seed. */
import { defaultLimits, type RaftLimits, type RaftTimings } from '@ringleader/raft';
import type { FaultKind } from '@ringleader/testing-simulation';

export interface GroupSettings {
  readonly members: number;
  readonly tickMs: number;
  readonly timings: RaftTimings;
  readonly limits: RaftLimits;
  /** The longest time for which a member gathers inputs before it acts on them. */
  readonly turnMs: number;
  readonly snapshotEveryEntries: number;
  readonly trailingEntries: number;
  readonly chunkBytes: number;
}

export interface ClientSettings {
  readonly clients: number;
  readonly keys: number;
  readonly thinkMsMax: number;
  /** Of 10 operations. */
  readonly reads: number;
  readonly timeoutMs: number;
}

export interface FaultSettings {
  readonly kinds: readonly FaultKind[];
  readonly intensity: number;
  readonly durationMaxMs: number;
}

export interface RunSettings {
  readonly group: GroupSettings;
  readonly clients: ClientSettings;
  readonly faults: FaultSettings;
  /** How long faults last; then everything heals, and must come back. */
  readonly faultyMs: number;
  readonly recoveryMs: number;
}

export const timings: RaftTimings = {
  electionTimeoutTicks: 10,
  heartbeatIntervalTicks: 2,
  resendIntervalTicks: 4,
};

/** One entry per Append shows what many at once would hide. */
export const limits: RaftLimits = {
  ...defaultLimits,
  appendBytesMax: 1,
  inFlightAppendsMax: 4,
  inFlightBytesMax: 2_000,
  uncommittedBytesMax: 4_000,
  applyBytesMax: 500,
};

export const base: RunSettings = {
  group: {
    members: 3,
    tickMs: 8,
    timings,
    limits,
    turnMs: 0.3,
    snapshotEveryEntries: 1_000,
    trailingEntries: 100,
    chunkBytes: 64,
  },
  clients: { clients: 5, keys: 4, thinkMsMax: 20, reads: 4, timeoutMs: 300 },
  faults: { kinds: [], intensity: 0, durationMaxMs: 1 },
  faultyMs: 2_000,
  recoveryMs: 3_000,
};
