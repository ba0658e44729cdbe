/** What a run is, apart from its seed. */
import { defaultLimits, type RaftLimits, type RaftTimings, type ReadLease } from '@ringleader/raft';
import type { WorkloadSettings } from './data/workload.js';
import type { FaultKind } from '@ringleader/testing-simulation';

/** How much faster or slower than true time the clocks of a run are at most. */
export const clockDriftMax = 0.1;

export interface GroupSettings {
  /** Founders. */
  readonly members: number;
  /** Seats besides theirs, at which somebody waits to become a member. */
  readonly spares: number;
  readonly tickMs: number;
  readonly timings: RaftTimings;
  /** Null: reads are confirmed by a round of heartbeats. */
  readonly lease: ReadLease | null;
  readonly limits: RaftLimits;
  /** The longest time for which a member gathers inputs before it acts on them. */
  readonly turnMs: number;
  readonly snapshotEveryEntries: number;
  readonly trailingEntries: number;
  readonly chunkBytes: number;
  /** The longest time that a store takes to become another one's snapshot. */
  readonly restoreMsMax: number;
  /** Where clients compact nothing the members do. */
  readonly compactsItself: boolean;
  /** The longest time that the end of a lease is under way in its leader before it is proposed. */
  readonly slowExpiryMsMax: number;
}

export interface ClientSettings {
  readonly clients: number;
  readonly keys: number;
  readonly thinkMsMax: number;
  /** Of 10 operations. */
  readonly reads: number;
  /** Of 10 operations: of all kinds, on the hot keys. */
  readonly mixed: number;
  readonly leases: WorkloadSettings;
  readonly watchers: number;
  /** Watchers to whom members push. */
  readonly followers: number;
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
    spares: 0,
    tickMs: 8,
    timings,
    lease: null,
    limits,
    turnMs: 0.3,
    snapshotEveryEntries: 1_000,
    trailingEntries: 100,
    chunkBytes: 64,
    restoreMsMax: 0,
    compactsItself: true,
    slowExpiryMsMax: 0,
  },
  clients: {
    clients: 5,
    keys: 4,
    thinkMsMax: 20,
    reads: 4,
    mixed: 0,
    leases: { ttlMinMs: 60, ttlSpreadMs: 240, renewals: 4, namesakes: 1 },
    watchers: 0,
    followers: 0,
    timeoutMs: 300,
  },
  faults: { kinds: [], intensity: 0, durationMaxMs: 1 },
  faultyMs: 2_000,
  recoveryMs: 3_000,
};

/** For clocks of which one is so much too fast, and another one too slow. */
export const lease: ReadLease = {
  tickMs: base.group.tickMs,
  driftMax: 1 - (1 - clockDriftMax) / (1 + clockDriftMax),
};
