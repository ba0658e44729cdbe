/** How a shard's database is reached, and which of its failures no other attempt mends. */
import { type ErrorCode, OperationalError } from '@ringleader/contracts';
import { type ShardConfig, postgresUrl } from '../shard.config.js';

export const BACK_OFF = { firstMs: 100, maxMs: 1_000 } as const;
/** Who ran for so long begins anew after the first wait. */
export const FORGET_FAILURES_AFTER_MS = 10_000;

const CONNECT_TIMEOUT_MS = 3_000;

/** Trying again would end in the same way: the process ends, and its supervisor and its log tell. */
const FATAL_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DURABILITY_OFF',
  'DATABASE_DAMAGED',
  'DATABASE_FORGOT',
  'SHARD_REMOVED',
  'SHARD_SUPERSEDED',
]);
const FATAL_REASONS: ReadonlySet<unknown> = new Set(['version', 'ordinals', 'comesBackAsNew']);

export function isFatal(error: unknown): boolean {
  if (!(error instanceof OperationalError)) return true;
  return FATAL_CODES.has(error.code) || FATAL_REASONS.has(error.details['reason']);
}

export function connectionOptions(config: ShardConfig) {
  return {
    url: postgresUrl(config),
    shardId: config.RINGLEADER_MEMBER,
    stallMs: config.RINGLEADER_POSTGRES_STALL_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  };
}
