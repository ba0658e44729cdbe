import { budgeted, commonConfig, decimal, integer } from '@ringleader/config';
import { HYBRID_CLOCKS_DIFFER_MS_MAX } from '@ringleader/hybrid-clock';
import {
  RULES,
  RULES_WITHOUT_LEASE,
  type PaxosLimits,
  type PaxosRules,
  type PaxosTimings,
  type VerificationPace,
} from '@ringleader/paxos';
import { injectable } from '@ringleader/service-host';
import { z } from 'zod';

const MIB = 1024 * 1024;
const ROW_CACHE = { share: 1 / 16, minMib: 8, maxMib: 512, elseMib: 32 };
const REQUESTS = { share: 1 / 8, minMib: 16, maxMib: 256, elseMib: 64 };
const KEYED = { share: 1 / 16, minMib: 8, maxMib: 512, elseMib: 32 };
const RECENT = { share: 1 / 32, minMib: 4, maxMib: 128, elseMib: 16 };
const TOMBSTONES = { share: 1 / 32, minMib: 4, maxMib: 128, elseMib: 16 };
const BYTES_MAX = 64 * 1024 * MIB;
const TRANSACTION_BYTES = MIB;
/** Four large values or more: enough that the database never waits for the next. */
const REQUEST_BYTES_WANTED = 4 * MIB;
/** What waits for one peer holds rows in memory that may have been replaced since. */
const PEER_BACKLOG_BYTES = 16 * MIB;
/** Shorter values cost less than to read them apart, if a read follows the write. */
const VALUE_BYTES_BEFORE_WRITES = 4_096;

/** Parsed once, at the start. */
export const shardConfigSchema = z
  .object({
    ...commonConfig,
    /** By TCP or by a Unix socket (docs/OPERATIONS.md, "A shard's PostgreSQL"). */
    RINGLEADER_POSTGRES_URL: z.url({ protocol: /^postgres(ql)?$/ }),
    /** If it is not in the URL; best as RINGLEADER_POSTGRES_PASSWORD_FILE. */
    RINGLEADER_POSTGRES_PASSWORD: z.string().min(1).optional(),
    /** Replicas of a partition go to distinct zones while there are enough. */
    RINGLEADER_ZONE: z.string().max(64).default(''),
    /** A shard of weight 2 holds twice as much as one of weight 1. */
    RINGLEADER_WEIGHT: decimal(0.001, 1_000).default(1),
    RINGLEADER_LEASE_MS: integer(50, 60_000).default(600),
    /** `confirm` where the clocks cannot keep to what leases assume (docs/OPERATIONS.md, "Clocks"). */
    RINGLEADER_READ_PROOF: z.enum(['lease', 'confirm']).default('lease'),
    RINGLEADER_LEASE_HEARTBEAT_MS: integer(10, 20_000).default(150),
    RINGLEADER_ELECTION_STAGGER_MS: integer(1, 10_000).default(100),
    RINGLEADER_CANDIDACY_TIMEOUT_MS: integer(20, 60_000).default(400),
    RINGLEADER_RESEND_INTERVAL_MS: integer(10, 60_000).default(150),
    /** A statement that takes longer means that the database is lost. */
    RINGLEADER_POSTGRES_STALL_MS: integer(500, 600_000).default(4_000),
    /** A shard whose database is away for so long is silent, and so down (docs/OPERATIONS.md, "A shard's PostgreSQL"). */
    RINGLEADER_POSTGRES_AWAY_MS: integer(1_000, 7 * 24 * 3_600_000).default(30_000),
    RINGLEADER_REQUESTS_MAX: integer(16, 1_000_000).default(20_000),
    /** Rows kept in memory. Absent, as those below: a share of the process's memory. */
    RINGLEADER_ROW_CACHE_BYTES: budgeted(0, BYTES_MAX, ROW_CACHE),
    /** Values of requests that are not answered yet. */
    RINGLEADER_SHARD_REQUEST_BYTES_MAX: budgeted(8 * MIB, BYTES_MAX, REQUESTS),
    /** What is remembered of writes under an Idempotency-Key. */
    RINGLEADER_KEYED_WRITES_BYTES: budgeted(MIB, BYTES_MAX, KEYED),
    /** Keys of recent writes, by which replicas that missed some are repaired without a pass over all rows. */
    RINGLEADER_RECENT_KEYS_BYTES: budgeted(MIB, BYTES_MAX, RECENT),
    /** Deleted keys that wait to be purged; those beyond it are looked for in the database. */
    RINGLEADER_TOMBSTONE_BYTES: budgeted(MIB, BYTES_MAX, TOMBSTONES),
    /** A shard that is down for so long does not keep the others from purging deleted keys. */
    RINGLEADER_PURGE_AFTER_MS: integer(1_000, 30 * 24 * 3_600_000).default(3_600_000),
    /** For how long a deleted key is remembered; less than the default costs repeats of requests their answers. */
    RINGLEADER_PURGE_REST_MS: integer(100, 24 * 3_600_000).default(90_000),
    /** Replicas of a partition are compared so often (docs/OPERATIONS.md, "Do replicas have the same?"); 0 is on demand only. */
    RINGLEADER_VERIFY_INTERVAL_MS: integer(0, 365 * 24 * 3_600_000).default(24 * 3_600_000),
    /** Of rows that each shard reads for it in a second, at most. */
    RINGLEADER_VERIFY_BYTES_PER_SECOND: integer(65_536, 1_000_000_000_000).default(8 * MIB),
  })
  .superRefine((config, context) => {
    if (config.RINGLEADER_POSTGRES_PASSWORD !== undefined && hasPassword(config.RINGLEADER_POSTGRES_URL)) {
      const message = 'is given, and RINGLEADER_POSTGRES_URL has one too';
      context.addIssue({ code: 'custom', path: ['RINGLEADER_POSTGRES_PASSWORD'], message });
    }
    // Two heartbeats may be lost before a lease lapses: one lost message is no reason to elect.
    if (config.RINGLEADER_LEASE_MS >= 3 * config.RINGLEADER_LEASE_HEARTBEAT_MS) return;
    const message = 'must be at most a third of RINGLEADER_LEASE_MS';
    context.addIssue({ code: 'custom', path: ['RINGLEADER_LEASE_HEARTBEAT_MS'], message });
  });

export abstract class ShardConfig extends injectable<Readonly<z.infer<typeof shardConfigSchema>>>() {}

function hasPassword(text: string): boolean {
  const url = new URL(text);
  return url.password !== '' || url.searchParams.has('password');
}

/** With the password, wherever that came from. */
export function postgresUrl(config: ShardConfig): string {
  const { RINGLEADER_POSTGRES_URL: text, RINGLEADER_POSTGRES_PASSWORD: password } = config;
  if (password === undefined) return text;
  // As a parameter, since a URL without a host, as that of a socket, cannot have user information.
  return `${text}${text.includes('?') ? '&' : '?'}password=${encodeURIComponent(password)}`;
}

const DRIFT_FRACTION = 0.1;
/** Clients are promised a minute (docs/API.md). */
const REPEAT_WINDOW_MS = 60_000;

export function paxosTimings(config: ShardConfig): PaxosTimings {
  return {
    repeatWindowMs: REPEAT_WINDOW_MS,
    clocksDifferMs: HYBRID_CLOCKS_DIFFER_MS_MAX,
    purgeAfterMs: config.RINGLEADER_PURGE_AFTER_MS,
    purgeRestMs: config.RINGLEADER_PURGE_REST_MS,
    leaseMs: config.RINGLEADER_LEASE_MS,
    driftFraction: DRIFT_FRACTION,
    heartbeatIntervalMs: config.RINGLEADER_LEASE_HEARTBEAT_MS,
    electionStaggerMs: config.RINGLEADER_ELECTION_STAGGER_MS,
    candidacyTimeoutMs: config.RINGLEADER_CANDIDACY_TIMEOUT_MS,
    resendIntervalMs: config.RINGLEADER_RESEND_INTERVAL_MS,
  };
}

/** Absent: on demand only. */
export function paxosVerification(config: ShardConfig): { readonly verification?: VerificationPace } {
  const { RINGLEADER_VERIFY_INTERVAL_MS: intervalMs } = config;
  if (intervalMs === 0) return {};
  return { verification: { intervalMs, bytesPerSecond: config.RINGLEADER_VERIFY_BYTES_PER_SECOND } };
}

export function paxosRules({ RINGLEADER_READ_PROOF }: ShardConfig): PaxosRules {
  return RINGLEADER_READ_PROOF === 'confirm' ? RULES_WITHOUT_LEASE : RULES;
}

export function paxosLimits(config: ShardConfig): PaxosLimits {
  return {
    inFlightRevisionsMax: 4_096,
    requestsMax: config.RINGLEADER_REQUESTS_MAX,
    requestBytesMax: config.RINGLEADER_SHARD_REQUEST_BYTES_MAX,
    requestBytesWanted: REQUEST_BYTES_WANTED,
    batchRowsMax: 1_024,
    batchBytesMax: MIB,
    transactionBytesMax: TRANSACTION_BYTES,
    peerBacklogBytesMax: PEER_BACKLOG_BYTES,
    repairRowsMax: 1_000,
    repairBytesMax: MIB,
    rowCacheBytesMax: config.RINGLEADER_ROW_CACHE_BYTES,
    keyedBytesMax: config.RINGLEADER_KEYED_WRITES_BYTES,
    recentBytesMax: config.RINGLEADER_RECENT_KEYS_BYTES,
    tombstoneBytesMax: config.RINGLEADER_TOMBSTONE_BYTES,
    keysBytesMax: Math.floor(config.RINGLEADER_ROW_CACHE_BYTES / 4),
    valueBytesBeforeWrites: VALUE_BYTES_BEFORE_WRITES,
  };
}
