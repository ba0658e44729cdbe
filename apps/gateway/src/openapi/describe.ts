/** Building blocks for the descriptions of the resources in the OpenAPI document. */
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import { ERROR_CATALOGUE, PROBLEM_MEDIA_TYPE, REST_HEADERS, REST_LIMITS } from '@ringleader/contracts';
import type { RestErrorCode } from '@ringleader/contracts';

type Decorator = MethodDecorator & ClassDecorator;

const schemaRef = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });

export function jsonContent(name: string): Record<string, { schema: { $ref: string } }> {
  return { 'application/json': { schema: schemaRef(name) } };
}

/** Any request can meet these. */
const COMMON: readonly RestErrorCode[] = [
  'INVALID_ARGUMENT',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'EXPECTATION_FAILED',
  'MISDIRECTED_REQUEST',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
];

/** Any request below /v1 can meet these as well. */
const ADMISSION: readonly RestErrorCode[] = ['RATE_LIMITED', 'OVERLOADED'];

/** Of a resource below /v1. */
export function Problems(...codes: readonly RestErrorCode[]): Decorator {
  return problemResponses([...COMMON, ...ADMISSION, ...codes]);
}

/** Of what is always let in. */
export function ProbeProblems(): Decorator {
  return problemResponses(COMMON);
}

/** One response for each status, naming the codes that it may carry. */
function problemResponses(codes: readonly RestErrorCode[]): Decorator {
  const byStatus = new Map<number, RestErrorCode[]>();
  for (const code of codes) {
    const { httpStatus } = ERROR_CATALOGUE[code];
    byStatus.set(httpStatus, [...(byStatus.get(httpStatus) ?? []), code]);
  }
  return applyDecorators(
    ...[...byStatus].sort(([a], [b]) => a - b).map(([status, ofStatus]) => problemResponse(status, ofStatus)),
  );
}

function problemResponse(status: number, codes: readonly RestErrorCode[]): Decorator {
  return ApiResponse({
    status,
    description: codes.map((code) => `\`${code}\`: ${ERROR_CATALOGUE[code].title}`).join('. '),
    headers: headersOfProblem(codes),
    content: { [PROBLEM_MEDIA_TYPE]: { schema: schemaRef('Problem') } },
  });
}

function headersOfProblem(
  codes: readonly RestErrorCode[],
): Record<string, { description: string; schema: object }> {
  if (codes.includes('METHOD_NOT_ALLOWED')) {
    return { Allow: { description: 'The methods that there are.', schema: { type: 'string' } } };
  }
  const canRetry = codes.some(
    (code) => code === 'RATE_LIMITED' || code === 'OVERLOADED' || code === 'UNAVAILABLE',
  );
  if (!canRetry) return {};
  return { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } };
}

export function TimeoutHeader(): Decorator {
  return ApiHeader({
    name: REST_HEADERS.timeoutMs,
    required: false,
    description:
      'How long the client waits for the answer. It travels with every message inside the cluster.',
    schema: {
      type: 'integer',
      minimum: 1,
      maximum: REST_LIMITS.timeoutMsMax,
      default: REST_LIMITS.timeoutMsDefault,
    },
  });
}

export function IdempotencyHeader(): Decorator {
  return ApiHeader({
    name: REST_HEADERS.idempotencyKey,
    required: false,
    description:
      'Names this write. A repeat (the same Idempotency-Key, method and key; in a batch the same operation, by its ' +
      'occurrence) within a minute of the first attempt gets the first answer, through any gateway; or OUTCOME_UNKNOWN ' +
      'where nobody can tell any more. A write that was done is not done again. Bodies and conditions are not compared.',
    schema: { type: 'string', minLength: 1, maxLength: REST_LIMITS.idempotencyKeyLengthMax },
  });
}

export const RESPONSE_HEADERS = {
  etag: { ETag: { description: 'The revision, quoted.', schema: { type: 'string' } } },
  servedBy: {
    [REST_HEADERS.servedBy]: { description: 'The shard that answered.', schema: { type: 'string' } },
  },
  staleness: {
    [REST_HEADERS.stalenessMs]: {
      description: 'With consistency=stale: how old the answer is at most.',
      schema: { type: 'integer' },
    },
  },
} as const;
