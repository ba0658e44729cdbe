/**
 * Every operational error there is, once. The compiler demands a status and a retry class for each new code, and
 * docs/ERRORS.md is tested against this table both ways.
 *
 * "Rejected" (nothing was done) and "outcome unknown" (it may have been done) are different codes, always.
 */
export type RetryClass =
  /** Nothing was done: the same request may be sent again. */
  | 'safe'
  /** It may have been done: repeat only with an idempotency key or a condition. */
  | 'if-idempotent'
  /** The same request will fail again. */
  | 'never';

export interface ErrorEntry {
  readonly httpStatus: number;
  readonly retry: RetryClass;
  /** A short, constant sentence: the `title` of a problem document. */
  readonly title: string;
  /** It ends the process, and a process that is started again ends in the same way until somebody has done something. */
  readonly outlivesRestart?: true;
}

/** How a process ends that is not to be started again: sysexits' EX_CONFIG. Any other code is worth another start. */
export const EXIT_DO_NOT_RESTART = 78;

export const ERROR_CATALOGUE = {
  INVALID_ARGUMENT: { httpStatus: 400, retry: 'never', title: 'The request is not valid' },
  KEY_TOO_LONG: { httpStatus: 400, retry: 'never', title: 'The key is too long' },
  UNSUPPORTED_MEDIA_TYPE: { httpStatus: 415, retry: 'never', title: 'The media type is not supported here' },
  UNAUTHENTICATED: { httpStatus: 401, retry: 'never', title: 'The request has no valid token' },
  FORBIDDEN: { httpStatus: 403, retry: 'never', title: 'This is not allowed to whoever asks' },
  TOKEN_NOT_FOUND: { httpStatus: 404, retry: 'never', title: 'There is no such token' },
  TOO_MANY_TOKENS: { httpStatus: 409, retry: 'never', title: 'There are too many tokens' },
  KEY_NOT_FOUND: { httpStatus: 404, retry: 'never', title: 'The key does not exist' },
  ROUTE_NOT_FOUND: { httpStatus: 404, retry: 'never', title: 'There is no such resource' },
  METHOD_NOT_ALLOWED: { httpStatus: 405, retry: 'never', title: 'The resource does not have this method' },
  PRECONDITION_FAILED: { httpStatus: 412, retry: 'never', title: 'A condition of the request does not hold' },
  VALUE_TOO_LARGE: { httpStatus: 413, retry: 'never', title: 'The value is too large' },
  REQUEST_TOO_LARGE: { httpStatus: 413, retry: 'never', title: 'The request is too large' },
  EXPECTATION_FAILED: { httpStatus: 417, retry: 'never', title: 'The expectation cannot be met' },
  MISDIRECTED_REQUEST: {
    httpStatus: 421,
    retry: 'never',
    title: 'This server does not answer for this host',
  },
  HEADERS_TOO_LARGE: { httpStatus: 431, retry: 'never', title: 'The request headers are too large' },
  REQUEST_TIMEOUT: { httpStatus: 408, retry: 'safe', title: 'The request did not arrive in time' },
  RATE_LIMITED: { httpStatus: 429, retry: 'safe', title: 'Too many requests' },
  OVERLOADED: { httpStatus: 503, retry: 'safe', title: 'Too much is in flight' },
  UNAVAILABLE: { httpStatus: 503, retry: 'safe', title: 'No majority could be reached' },
  OUTCOME_UNKNOWN: {
    httpStatus: 504,
    retry: 'if-idempotent',
    title: 'The write may or may not have been done',
  },
  DISK_FULL: { httpStatus: 507, retry: 'safe', title: 'The disks of the coordinators are full' },
  DEADLINE_EXCEEDED: { httpStatus: 504, retry: 'safe', title: 'The deadline has passed' },
  INTERNAL: { httpStatus: 500, retry: 'if-idempotent', title: 'An internal error' },

  NOT_LEADER: { httpStatus: 503, retry: 'safe', title: 'This member is not the leader' },
  COMPACTED: { httpStatus: 410, retry: 'never', title: 'The revision has been compacted' },
  LEASE_NOT_FOUND: { httpStatus: 404, retry: 'never', title: 'The lease does not exist' },
  LEASE_EXISTS: { httpStatus: 409, retry: 'never', title: 'There is a lease with this id' },
  FUTURE_REVISION: { httpStatus: 400, retry: 'never', title: 'The revision has not been reached' },
  DUPLICATE_KEY: { httpStatus: 400, retry: 'never', title: 'A transaction changes a key twice' },
  NESTED_TOO_DEEP: { httpStatus: 400, retry: 'never', title: 'Transactions are nested too deep' },
  STORE_FULL: { httpStatus: 507, retry: 'never', title: 'The store is full' },

  CHANGE_UNDER_WAY: { httpStatus: 409, retry: 'safe', title: 'Another change of the group is under way' },
  ALREADY_SO: { httpStatus: 409, retry: 'never', title: 'It is so already' },
  QUORUM_AT_RISK: { httpStatus: 409, retry: 'safe', title: 'The group could not decide after the change' },
  MEMBER_LAGGING: { httpStatus: 409, retry: 'safe', title: 'The learner has not caught up' },
  NO_APPLICANT: { httpStatus: 409, retry: 'safe', title: 'Nobody of that name waits to be let in' },
  MEMBER_NOT_FOUND: { httpStatus: 404, retry: 'never', title: 'There is no member of that name' },
  MEMBER_REMOVED: {
    httpStatus: 409,
    retry: 'never',
    title: 'This member was removed from its group',
    outlivesRestart: true,
  },

  SHARD_NOT_FOUND: { httpStatus: 404, retry: 'never', title: 'There is no shard of that name' },
  SHARD_HOLDS_DATA: { httpStatus: 409, retry: 'safe', title: 'The shard still holds partitions' },
  REPLICATION_AT_RISK: {
    httpStatus: 409,
    retry: 'safe',
    title: 'Too few shards would be left for the replication factor',
  },
  NOTHING_TO_CANCEL: { httpStatus: 409, retry: 'never', title: 'Nothing is being moved there' },
  NOTHING_TO_RECOVER: { httpStatus: 409, retry: 'never', title: 'No partition has lost a majority' },
  SHARD_NOT_DOWN: { httpStatus: 409, retry: 'safe', title: 'The shard is not down' },
  SHARD_REMOVED: {
    httpStatus: 409,
    retry: 'never',
    title: 'This shard was removed from its cluster',
    outlivesRestart: true,
  },

  CONFIG_INVALID: {
    httpStatus: 500,
    retry: 'never',
    title: 'The configuration is not valid',
    outlivesRestart: true,
  },
  NATS_REFUSED: {
    httpStatus: 500,
    retry: 'never',
    title: 'NATS refuses this process',
    outlivesRestart: true,
  },
  NATS_UNREACHABLE: { httpStatus: 503, retry: 'safe', title: 'NATS cannot be reached' },
  LOG_CORRUPT: {
    httpStatus: 500,
    retry: 'never',
    title: 'The log on disk is corrupt',
    outlivesRestart: true,
  },
  LOG_MISSING: {
    httpStatus: 500,
    retry: 'never',
    title: 'The log of this member is missing',
    outlivesRestart: true,
  },
  LOG_FOREIGN: {
    httpStatus: 500,
    retry: 'never',
    title: 'The log belongs to another member',
    outlivesRestart: true,
  },
  LOG_IN_USE: { httpStatus: 500, retry: 'never', title: 'The log is in use by another process' },
  STORE_CORRUPT: {
    httpStatus: 500,
    retry: 'never',
    title: 'The store differs from that of the majority',
    outlivesRestart: true,
  },
  STORAGE_FAILED: { httpStatus: 500, retry: 'never', title: 'The storage failed' },
  DURABILITY_OFF: {
    httpStatus: 500,
    retry: 'never',
    title: 'The database does not keep what it acknowledges',
    outlivesRestart: true,
  },
  SHARD_SUPERSEDED: { httpStatus: 500, retry: 'never', title: 'Another process of this shard was started' },
  DATABASE_DAMAGED: {
    httpStatus: 500,
    retry: 'never',
    title: 'The database cannot be read any more',
    outlivesRestart: true,
  },
  DATABASE_FORGOT: {
    httpStatus: 500,
    retry: 'never',
    title: 'The database has forgotten something',
    outlivesRestart: true,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value);
}
