import { getHeapStatistics } from 'node:v8';
import { budgeted, commonConfig, integer } from '@ringleader/config';
import { PLACEMENT_LIMITS_DEFAULT, type PlacementLimits } from '@ringleader/contracts';
import { MEMBERS_MAX, type Seat } from '@ringleader/raft';
import { injectable } from '@ringleader/service-host';
import { z } from 'zod';

const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));

/**
 * A quarter of the heap, which is half of the process's memory: the store's measure is about what it takes there. While a
 * snapshot takes its place there are two of them, and V8 needs as much again for what it has not collected.
 */
const HEAP_SHARE = 1 / 4;
/** Of placement: as operators may set them, too. */
const limits = {
  movesMax: integer(1, 1_024),
  bytesPerSecondMax: integer(65_536, 1_000_000_000_000),
  replaceAfterMs: integer(10_000, 604_800_000),
};
const MIB = 1_048_576;
const STORE = {
  ...{ share: HEAP_SHARE / 2, minMib: 16, maxMib: 4_096 },
  elseMib: Math.floor((getHeapStatistics().heap_size_limit * HEAP_SHARE) / MIB),
};

/** Parsed once, at the start. Durations of Raft are counted in its ticks. */
export const coordinatorConfigSchema = z
  .object({
    ...commonConfig,
    RINGLEADER_COORDINATOR_ID: integer(1, MEMBERS_MAX),
    /** Of a cluster that is new; who is in one that there is, its log says. */
    RINGLEADER_COORDINATOR_COUNT: integer(1, 5).default(3),
    RINGLEADER_DATA_DIR: z.string().min(1),
    /**
     * What an empty data directory is for: a cluster that is new, or a group that lets this coordinator in when an operator says so.
     * Without it an empty data directory is a lost disk, and is refused.
     */
    RINGLEADER_BOOTSTRAP: z.enum(['new-cluster', 'join']).optional(),
    RINGLEADER_PARTITION_COUNT: integer(16, 16_384)
      .refine(isPowerOfTwo, 'must be a power of two')
      .default(256),
    RINGLEADER_REPLICATION_FACTOR: integer(1, 7).default(3),
    /** The first partition map is made when so many shards have registered. */
    RINGLEADER_INITIAL_SHARDS: integer(1, 1_024).default(3),
    /** These three are what a new cluster begins with: operators change them while it runs (limits of placement). */
    RINGLEADER_MOVES_MAX: limits.movesMax.default(PLACEMENT_LIMITS_DEFAULT.movesMax),
    RINGLEADER_MOVE_BYTES_PER_SECOND_MAX: limits.bytesPerSecondMax.default(
      PLACEMENT_LIMITS_DEFAULT.bytesPerSecondMax,
    ),
    RINGLEADER_REPLACE_AFTER_MS: limits.replaceAfterMs.default(PLACEMENT_LIMITS_DEFAULT.replaceAfterMs),
    /** A verdict needs a majority of so many failure detectors, or of those that are registered if they are more. */
    RINGLEADER_FAILURE_DETECTORS: integer(1, 99).default(3),
    RINGLEADER_RAFT_TICK_MS: integer(5, 1_000).default(50),
    RINGLEADER_RAFT_HEARTBEAT_TICKS: integer(1, 100).default(2),
    RINGLEADER_RAFT_ELECTION_TICKS: integer(2, 1_000).default(10),
    /**
     * Reads go by a lease of the leader, without asking the others, where the clocks of coordinators differ in rate by less than this;
     * the same at all of them. Without it no clock is trusted.
     */
    RINGLEADER_RAFT_LEASE_DRIFT_PERCENT: integer(0, 50).optional(),
    /** How often each member holds its store against those of the others. */
    RINGLEADER_HASH_INTERVAL_MS: integer(100, 3_600_000).default(5_000),
    /** What the store may take at most, its history included, by its own measure. The leader's setting counts. */
    RINGLEADER_STORE_BYTES_MAX: budgeted(1_048_576, 17_179_869_184, STORE),
    /** Changes of keys that stay in the history for those who watch or read the past: it is compacted at twice as many. */
    RINGLEADER_COMPACTION_EVENTS: integer(1, 10_000_000).default(20_000),
    /** What is older than this is compacted, too. Absent: no age is too old. */
    RINGLEADER_COMPACTION_AGE_MS: integer(1_000, 31_536_000_000).optional(),
    /** A snapshot is taken when so many entries were applied since the last. */
    RINGLEADER_RAFT_SNAPSHOT_ENTRIES: integer(1, 10_000_000).default(10_000),
    /** Entries that stay in the log behind a snapshot, for members that are only a little behind. */
    RINGLEADER_RAFT_TRAILING_ENTRIES: integer(0, 10_000_000).default(1_000),
  })
  .superRefine((config, context) => {
    const refuse = (variable: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [variable], message });
    const isFounder = config.RINGLEADER_BOOTSTRAP !== 'join';
    if (isFounder && config.RINGLEADER_COORDINATOR_ID > config.RINGLEADER_COORDINATOR_COUNT) {
      refuse('RINGLEADER_COORDINATOR_ID', 'must not be above RINGLEADER_COORDINATOR_COUNT');
    }
    if (config.RINGLEADER_COORDINATOR_COUNT % 2 === 0) {
      refuse('RINGLEADER_COORDINATOR_COUNT', 'must be odd: an even member adds no tolerance for failures');
    }
    if (config.RINGLEADER_REPLICATION_FACTOR > config.RINGLEADER_INITIAL_SHARDS) {
      refuse('RINGLEADER_REPLICATION_FACTOR', 'must not be above RINGLEADER_INITIAL_SHARDS');
    }
    // A follower must hear several heartbeats before it gives the leader up: one lost message is no reason to elect.
    if (config.RINGLEADER_RAFT_ELECTION_TICKS < 4 * config.RINGLEADER_RAFT_HEARTBEAT_TICKS) {
      refuse('RINGLEADER_RAFT_ELECTION_TICKS', 'must be at least four times RINGLEADER_RAFT_HEARTBEAT_TICKS');
    }
  });

export abstract class CoordinatorConfig extends injectable<
  Readonly<z.infer<typeof coordinatorConfigSchema>>
>() {}

/** Of the founders. */
export function founderSeats(config: CoordinatorConfig): Seat[] {
  return Array.from({ length: config.RINGLEADER_COORDINATOR_COUNT }, (_, i) => i + 1);
}

export function initialLimits(config: CoordinatorConfig): PlacementLimits {
  return {
    movesMax: config.RINGLEADER_MOVES_MAX,
    bytesPerSecondMax: config.RINGLEADER_MOVE_BYTES_PER_SECOND_MAX,
    replaceAfterMs: config.RINGLEADER_REPLACE_AFTER_MS,
  };
}
