import { z } from 'zod';
import { ERROR_CATALOGUE } from '../errors/catalogue.js';
import type { ErrorCode } from '../errors/catalogue.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The codes that REST clients can meet; the others stay between services. */
export const REST_ERROR_CODES = [
  'INVALID_ARGUMENT',
  'KEY_TOO_LONG',
  'UNSUPPORTED_MEDIA_TYPE',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'TOKEN_NOT_FOUND',
  'TOO_MANY_TOKENS',
  'KEY_NOT_FOUND',
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'PRECONDITION_FAILED',
  'VALUE_TOO_LARGE',
  'REQUEST_TOO_LARGE',
  'EXPECTATION_FAILED',
  'MISDIRECTED_REQUEST',
  'HEADERS_TOO_LARGE',
  'REQUEST_TIMEOUT',
  'RATE_LIMITED',
  'OVERLOADED',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'DISK_FULL',
  'DEADLINE_EXCEEDED',
  'INTERNAL',
  'CHANGE_UNDER_WAY',
  'ALREADY_SO',
  'QUORUM_AT_RISK',
  'MEMBER_LAGGING',
  'NO_APPLICANT',
  'MEMBER_NOT_FOUND',
  'MEMBER_REMOVED',
  'SHARD_NOT_FOUND',
  'SHARD_HOLDS_DATA',
  'REPLICATION_AT_RISK',
  'NOTHING_TO_CANCEL',
  'NOTHING_TO_RECOVER',
  'SHARD_NOT_DOWN',
  'COMPACTED',
  'FUTURE_REVISION',
] as const satisfies readonly ErrorCode[];
export type RestErrorCode = (typeof REST_ERROR_CODES)[number];

/** The fields of a problem document besides those of every one, by its code: docs/ERRORS.md lists the same. */
export const PROBLEM_FIELDS = {
  INVALID_ARGUMENT: [
    'parameter',
    'header',
    'field',
    'reason',
    'allowed',
    'min',
    'max',
    'lengthMax',
    'issues',
  ],
  KEY_TOO_LONG: ['keyBytes', 'keyBytesMax'],
  UNSUPPORTED_MEDIA_TYPE: ['contentType', 'contentEncoding', 'allowed'],
  UNAUTHENTICATED: ['reason'],
  FORBIDDEN: ['role', 'prefix', 'key', 'index', 'expiresAt'],
  TOKEN_NOT_FOUND: ['token'],
  TOO_MANY_TOKENS: ['tokensMax'],
  KEY_NOT_FOUND: ['key'],
  ROUTE_NOT_FOUND: ['method'],
  METHOD_NOT_ALLOWED: ['method', 'allow'],
  PRECONDITION_FAILED: ['epoch', 'revision', 'version', 'index'],
  VALUE_TOO_LARGE: ['bytesMax'],
  REQUEST_TOO_LARGE: ['bytesMax', 'operationsMax', 'operation'],
  EXPECTATION_FAILED: ['allowed'],
  MISDIRECTED_REQUEST: ['host'],
  HEADERS_TOO_LARGE: ['headerBytesMax', 'headersMax'],
  REQUEST_TIMEOUT: [],
  RATE_LIMITED: ['requestsMax', 'requestsPerSecond'],
  OVERLOADED: [],
  UNAVAILABLE: ['operation'],
  OUTCOME_UNKNOWN: ['operation', 'timeoutMs'],
  DISK_FULL: ['isMajorityFull'],
  DEADLINE_EXCEEDED: ['operation', 'timeoutMs'],
  INTERNAL: ['id'],
  CHANGE_UNDER_WAY: [],
  ALREADY_SO: ['name', 'id', 'leader', 'shard', 'state'],
  QUORUM_AT_RISK: ['name', 'silent'],
  MEMBER_LAGGING: ['name', 'match', 'lastIndex'],
  NO_APPLICANT: ['name'],
  MEMBER_NOT_FOUND: ['name', 'members'],
  MEMBER_REMOVED: ['name'],
  SHARD_NOT_FOUND: ['shard', 'shards'],
  SHARD_HOLDS_DATA: ['shard', 'replicas', 'state'],
  REPLICATION_AT_RISK: ['shard', 'shards', 'replicationFactor', 'partition'],
  NOTHING_TO_CANCEL: ['partition'],
  NOTHING_TO_RECOVER: ['shards'],
  SHARD_NOT_DOWN: ['shard'],
  COMPACTED: ['compactedRevision', 'restored'],
  FUTURE_REVISION: ['revision', 'parameter', 'field'],
} as const satisfies Record<RestErrorCode, readonly string[]>;

/** Every INVALID_ARGUMENT names what was wrong by one of these. */
export const NAMES_OF_WHAT_WAS_WRONG = ['parameter', 'header', 'field', 'reason'] as const;

/** RFC 9457, with our `code` and whatever fields say what was wrong and what is allowed. */
export const problemSchema = z
  .looseObject({
    type: z.string().describe('Names the kind of problem; one for each code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('One sentence for a person: what was wrong, and what is allowed.'),
    instance: z.string().describe('The target of the request as it was received.'),
    code: z.enum(REST_ERROR_CODES).describe('Stable: what programs should look at.'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

export const problemType = (code: ErrorCode): string =>
  `urn:ringleader:problem:${code.toLowerCase().replaceAll('_', '-')}`;

export function problemDocument(
  code: RestErrorCode,
  detail: string,
  instance: string,
  fields: Readonly<Record<string, unknown>> = {},
): Problem {
  const { httpStatus, title } = ERROR_CATALOGUE[code];
  return { type: problemType(code), title, status: httpStatus, detail, instance, code, ...fields };
}
