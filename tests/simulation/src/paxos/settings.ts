/** What a run looks like. Leases are short: more elections per simulated second. */
import type { PaxosLimits, PaxosTimings, VerificationPace } from '@ringleader/paxos';
import type { FaultKind, LinkQuality, StorageLatency } from '@ringleader/testing-simulation';
import type { BrokenGateway, GatewaySettings } from './gateway.js';
import type { RowPace } from './paced-rows.js';
import type { WorkloadSettings } from './workload.js';

export interface ClusterSettings {
  readonly shards: number;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly timings: PaxosTimings;
  readonly limits: PaxosLimits;
  /** The longest time for which a shard gathers inputs before it acts on them. */
  readonly turnMs: number;
  /** Null: however many rows, they are sent at once. */
  readonly rowPace: RowPace | null;
  /** Left out, nothing is compared (4.13). */
  readonly verification?: VerificationPace;
}

export const TIMINGS: PaxosTimings = {
  leaseMs: 200,
  driftFraction: 0.1,
  heartbeatIntervalMs: 50,
  electionStaggerMs: 30,
  candidacyTimeoutMs: 80,
  resendIntervalMs: 40,
  repeatWindowMs: 1_000,
  clocksDifferMs: 500,
  purgeAfterMs: 400,
  purgeRestMs: 100,
};

/** Small, so that repairs do not fit, batches are cut and requests pushed back within a few seconds. */
export const LIMITS: PaxosLimits = {
  inFlightRevisionsMax: 24,
  requestsMax: 64,
  requestBytesMax: 64 * 1024,
  requestBytesWanted: 16 * 1024,
  batchRowsMax: 8,
  batchBytesMax: 4 * 1024,
  transactionBytesMax: 16 * 1024,
  peerBacklogBytesMax: 16 * 1024,
  repairRowsMax: 4,
  repairBytesMax: 4 * 1024,
  rowCacheBytesMax: 6 * 1024,
  keyedBytesMax: 1 << 24,
  recentBytesMax: 1 << 24,
  tombstoneBytesMax: 1 << 24,
  keysBytesMax: 1 << 24,
  valueBytesBeforeWrites: 4,
};

export interface FaultSettings {
  readonly kinds: readonly FaultKind[];
  readonly intensity: number;
  readonly durationMaxMs: number;
  readonly clockDriftMax: number;
  readonly wallSkewMaxMs: number;
  /** Mean time between planned restarts of a shard, which hands its leaderships over first; 0 is none. */
  readonly plannedRestartMs: number;
  /** Mean time between new epochs of a partition (another preferred leader, a learner, a joint change); 0 is none. */
  readonly epochChangeMs: number;
}

export interface RunSettings {
  readonly cluster: ClusterSettings;
  readonly gateways: number;
  readonly gateway: GatewaySettings;
  readonly workload: WorkloadSettings;
  readonly faults: FaultSettings;
  /** While no fault is on; null draws it per seed. */
  readonly storage: StorageLatency | null;
  readonly links: LinkQuality | null;
  /** How fast the shards' clocks run, in their order; null draws it per seed. */
  readonly clockRates: readonly number[] | null;
  /** Of reads beside the writer; null is as fast as the storage is at the time. */
  readonly readLatency: StorageLatency | null;
  /** How long faults last; then everything heals, and must come back. */
  readonly faultyMs: number;
  /** Simulated time within which all partitions must have a leader and equal replicas again. */
  readonly recoveryMs: number;
  /** After that, are all keys read at each replica, and then from each of them as the leader? */
  readonly lastReads: boolean;
}

/** Rules of those around the core, which a control may break. */
export interface BrokenSurroundings extends BrokenGateway {
  /** SettleUnasked: the coordinator settles a joint epoch without a report. */
  readonly settlesUnproven?: boolean;
  /** NoJoint: the coordinator exchanges the set in one step. */
  readonly skipsJoint?: boolean;
  /** KeepsRows: a shard does not delete what no record of it names any more. */
  readonly keepsRows?: boolean;
  /** RowFlipped: a row of one replica is changed by nobody who may. */
  readonly flipsRows?: boolean;
}
