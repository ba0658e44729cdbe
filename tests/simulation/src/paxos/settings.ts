/** What a run looks like apart from its faults. Leases are short: more elections per simulated second. */
import type { PaxosLimits, PaxosTimings } from '@ringleader/paxos';

export interface ClusterSettings {
  readonly shards: number;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly timings: PaxosTimings;
  readonly limits: PaxosLimits;
  /** The longest time for which a shard gathers inputs before it acts on them. */
  readonly turnMs: number;
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
};

/** Small, so that repairs do not fit, batches are cut and requests pushed back within a few seconds. */
export const LIMITS: PaxosLimits = {
  inFlightRevisionsMax: 24,
  requestsMax: 64,
  requestBytesMax: 64 * 1024,
  batchRowsMax: 8,
  batchBytesMax: 4 * 1024,
  repairRowsMax: 4,
  repairBytesMax: 4 * 1024,
  rowCacheBytesMax: 2 * 1024,
};
