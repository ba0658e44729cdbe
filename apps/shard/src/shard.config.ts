import { commonConfig, integer } from '@ringleader/config';
import { HYBRID_CLOCKS_DIFFER_MS_MAX } from '@ringleader/hybrid-clock';
import {
  RULES,
  RULES_WITHOUT_LEASE,
  type PaxosLimits,
  type PaxosRules,
  type PaxosTimings,
} from '@ringleader/paxos';
import { injectable } from '@ringleader/service-host';
import { z } from 'zod';

const MIB = 1024 * 1024;

/** Parsed once, at the start. */
export const shardConfigSchema = z
  .object({
    ...commonConfig,
    RINGLEADER_POSTGRES_URL: z.url({ protocol: /^postgres(ql)?$/ }),
    /** Replicas of a partition go to distinct zones while there are enough. */
    RINGLEADER_ZONE: z.string().max(64).default(''),
    /** A shard of weight 2 holds twice as much as one of weight 1. */
    RINGLEADER_WEIGHT: z.coerce.number().positive().max(1_000).default(1),
    RINGLEADER_LEASE_MS: integer(50, 60_000).default(600),
    /** `confirm` where the clocks cannot keep to what leases assume (docs/OPERATIONS.md, "Clocks"). */
    RINGLEADER_READ_PROOF: z.enum(['lease', 'confirm']).default('lease'),
    RINGLEADER_LEASE_HEARTBEAT_MS: integer(10, 20_000).default(150),
    RINGLEADER_ELECTION_STAGGER_MS: integer(1, 10_000).default(100),
    RINGLEADER_CANDIDACY_TIMEOUT_MS: integer(20, 60_000).default(400),
    RINGLEADER_RESEND_INTERVAL_MS: integer(10, 60_000).default(150),
    /** A statement that takes longer means that the database is lost. */
    RINGLEADER_POSTGRES_STALL_MS: integer(500, 600_000).default(4_000),
    RINGLEADER_REQUESTS_MAX: integer(16, 1_000_000).default(20_000),
    RINGLEADER_ROW_CACHE_BYTES: integer(0, 64 * 1024 * MIB).default(64 * MIB),
  })
  .superRefine((config, context) => {
    // Two heartbeats may be lost before a lease lapses: one lost message is no reason to elect.
    if (config.RINGLEADER_LEASE_MS >= 3 * config.RINGLEADER_LEASE_HEARTBEAT_MS) return;
    const message = 'must be at most a third of RINGLEADER_LEASE_MS';
    context.addIssue({ code: 'custom', path: ['RINGLEADER_LEASE_HEARTBEAT_MS'], message });
  });

export abstract class ShardConfig extends injectable<Readonly<z.infer<typeof shardConfigSchema>>>() {}

const DRIFT_FRACTION = 0.1;
/** Clients are promised a minute (docs/API.md). */
const REPEAT_WINDOW_MS = 60_000;

export function paxosTimings(config: ShardConfig): PaxosTimings {
  return {
    repeatWindowMs: REPEAT_WINDOW_MS,
    clocksDifferMs: HYBRID_CLOCKS_DIFFER_MS_MAX,
    leaseMs: config.RINGLEADER_LEASE_MS,
    driftFraction: DRIFT_FRACTION,
    heartbeatIntervalMs: config.RINGLEADER_LEASE_HEARTBEAT_MS,
    electionStaggerMs: config.RINGLEADER_ELECTION_STAGGER_MS,
    candidacyTimeoutMs: config.RINGLEADER_CANDIDACY_TIMEOUT_MS,
    resendIntervalMs: config.RINGLEADER_RESEND_INTERVAL_MS,
  };
}

export function paxosRules({ RINGLEADER_READ_PROOF }: ShardConfig): PaxosRules {
  return RINGLEADER_READ_PROOF === 'confirm' ? RULES_WITHOUT_LEASE : RULES;
}

export function paxosLimits(config: ShardConfig): PaxosLimits {
  return {
    inFlightRevisionsMax: 4_096,
    requestsMax: config.RINGLEADER_REQUESTS_MAX,
    requestBytesMax: 64 * MIB,
    batchRowsMax: 1_024,
    batchBytesMax: MIB,
    repairRowsMax: 1_000,
    repairBytesMax: MIB,
    rowCacheBytesMax: config.RINGLEADER_ROW_CACHE_BYTES,
  };
}
