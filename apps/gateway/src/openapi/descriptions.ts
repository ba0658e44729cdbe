/** The resources in the OpenAPI document: building blocks, those below /v1/kv, those about the cluster and this gateway. */
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  CBOR_MEDIA_TYPE,
  ERROR_CATALOGUE,
  PROBLEM_MEDIA_TYPE,
  REST_HEADERS,
  REST_LIMITS,
} from '@ringleader/contracts';
import type { RestErrorCode } from '@ringleader/contracts';

type Decorator = MethodDecorator & ClassDecorator;

const schemaRef = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });

export function jsonContent(name: string): Record<string, { schema: { $ref: string } }> {
  return { 'application/json': { schema: schemaRef(name) } };
}

function batchContent(name: string): Record<string, { schema: object }> {
  return { ...jsonContent(name), [CBOR_MEDIA_TYPE]: { schema: schemaRef(name) } };
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
const ADMISSION: readonly RestErrorCode[] = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'OVERLOADED',
  'UNAVAILABLE',
];

/** Of a resource below /v1. */
export function Problems(...codes: readonly RestErrorCode[]): Decorator {
  return problemResponses([...new Set([...COMMON, ...ADMISSION, ...codes])]);
}

/** Of a key: what a shard has said names the shard. */
function KeyProblems(ofShard: Headers, ...codes: readonly RestErrorCode[]): Decorator {
  return problemResponses([...new Set([...COMMON, ...ADMISSION, ...codes])], ofShard);
}

/** Of one that changes something below /v1: whatever its body is for, that can be too large, or of no type that is taken. */
export function ChangeProblems(...codes: readonly RestErrorCode[]): Decorator {
  return Problems('REQUEST_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', ...codes);
}

/** Of what is always let in. */
function ProbeProblems(): Decorator {
  return problemResponses(COMMON);
}

/** One response for each status, naming the codes that it may carry. */
function problemResponses(codes: readonly RestErrorCode[], ofShard: Headers = {}): Decorator {
  const byStatus = new Map<number, RestErrorCode[]>();
  for (const code of codes) {
    const { httpStatus } = ERROR_CATALOGUE[code];
    byStatus.set(httpStatus, [...(byStatus.get(httpStatus) ?? []), code]);
  }
  return applyDecorators(
    ...[...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, ofStatus]) => problemResponse(status, ofStatus, ofShard)),
  );
}

/** What is refused by whoever has read the key. */
const OF_SHARD: readonly RestErrorCode[] = ['KEY_NOT_FOUND', 'PRECONDITION_FAILED'];

function problemResponse(status: number, codes: readonly RestErrorCode[], ofShard: Headers): Decorator {
  return ApiResponse({
    status,
    description: codes.map((code) => `\`${code}\`: ${ERROR_CATALOGUE[code].title}`).join('. '),
    headers: { ...headersOfProblem(codes), ...(codes.some((code) => OF_SHARD.includes(code)) && ofShard) },
    content: { [PROBLEM_MEDIA_TYPE]: { schema: schemaRef('Problem') } },
  });
}

type Headers = Record<string, { description: string; schema: object }>;

function headersOfProblem(codes: readonly RestErrorCode[]): Headers {
  if (codes.includes('METHOD_NOT_ALLOWED')) {
    return { Allow: { description: 'The methods that there are.', schema: { type: 'string' } } };
  }
  if (codes.includes('UNAUTHENTICATED') || codes.includes('FORBIDDEN')) {
    const description = 'What is missing (RFC 6750, section 3).';
    return { 'WWW-Authenticate': { description, schema: { type: 'string' } } };
  }
  if (codes.includes('UNSUPPORTED_MEDIA_TYPE')) {
    const description = '`identity`, where it was refused for its Content-Encoding.';
    return { 'Accept-Encoding': { description, schema: { type: 'string' } } };
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

function IdempotencyHeader(): Decorator {
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

const RESPONSE_HEADERS = {
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

const TAG = 'Keys and values';
/**
 * Types that people's and programs' clients know how to send and to read stand for all the others. Not JSON: a generated
 * client would encode what is encoded already.
 */
const VALUE_WRITTEN = {
  'text/plain': { schema: { type: 'string' } },
  'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
  '*/*': { schema: { type: 'string', format: 'binary' } },
};
const VALUE_READ = {
  'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
  '*/*': { schema: { type: 'string', format: 'binary' } },
};
const { etag, servedBy, staleness } = RESPONSE_HEADERS;

const text = (name: string, description: string): MethodDecorator =>
  ApiQuery({ name, required: false, description, schema: { type: 'string' } });
const flag = (name: string, description: string): MethodDecorator =>
  ApiQuery({ name, required: false, description, schema: { type: 'boolean', default: false } });
/** RFC 9110, 8.8.3: `*`, or a list of tags. */
const TAGS = '^(\\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$';
const conditionHeader = (name: string, description: string): MethodDecorator =>
  ApiHeader({ name, required: false, description, schema: { type: 'string', pattern: TAGS } });
/** RFC 9110, 5.6.7. */
const DATE =
  '^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), (0[1-9]|[12][0-9]|3[01]) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (19|20)[0-9]{2} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] GMT$';
const timeHeader = (name: string, description: string): MethodDecorator =>
  ApiHeader({ name, required: false, description, schema: { type: 'string', pattern: DATE } });

function KeyParameter(): MethodDecorator {
  return ApiParam({
    name: 'key',
    description:
      'Everything behind /v1/kv/, slashes included, percent-decoded once: 1 to 1,024 bytes of UTF-8. Clients that ' +
      'normalise paths need %2F in keys with // or with the segments . and ..',
    schema: { type: 'string', minLength: 1, maxLength: REST_LIMITS.keyBytesMax },
  });
}

function ConsistencyParameters(): MethodDecorator {
  return applyDecorators(
    ApiQuery({
      name: 'consistency',
      required: false,
      description: 'linearizable: the newest value. stale: what a replica has, perhaps of some time ago.',
      schema: { type: 'string', enum: ['linearizable', 'stale'], default: 'linearizable' },
    }),
    ApiQuery({
      name: 'maxStalenessMs',
      required: false,
      description: 'With consistency=stale: how old an answer may be.',
      schema: { type: 'integer', minimum: 0 },
    }),
  );
}

export function DescribePut(): MethodDecorator {
  const written = { content: jsonContent('Written'), headers: { ...etag, ...servedBy } };
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'putKey',
      summary: 'Store a value',
      description: 'Any bytes, of any Content-Type, without a Content-Encoding.',
      requestBody: { required: false, description: 'The value: up to 1 MiB.', content: VALUE_WRITTEN },
    }),
    KeyParameter(),
    conditionHeader(
      'If-Match',
      '"17": only if this is the present revision, or one of a list. *: only if the key exists.',
    ),
    conditionHeader(
      'If-None-Match',
      '*: only if the key does not exist. "17": only if this is not the present revision.',
    ),
    IdempotencyHeader(),
    TimeoutHeader(),
    ApiResponse({ status: 201, description: 'The key is new.', ...written }),
    ApiResponse({ status: 200, description: 'The value of the key was replaced.', ...written }),
    KeyProblems(
      servedBy,
      'KEY_TOO_LONG',
      'VALUE_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'PRECONDITION_FAILED',
      'UNAVAILABLE',
      'OUTCOME_UNKNOWN',
    ),
  );
}

export function DescribeGet(): MethodDecorator {
  const headers = {
    ...etag,
    ...servedBy,
    ...staleness,
    [REST_HEADERS.version]: { description: 'Counts the writes of the key.', schema: { type: 'integer' } },
    'Last-Modified': { description: 'When the value was stored.', schema: { type: 'string' } },
  };
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'getKey',
      summary: 'Read a value',
      description: 'As it was stored, with the Content-Type it was stored with.',
    }),
    KeyParameter(),
    ConsistencyParameters(),
    conditionHeader('If-None-Match', '"17": 304 if this is still the revision.'),
    conditionHeader('If-Match', '"17": 412 if this is not the revision any more.'),
    timeHeader('If-Modified-Since', 'A date: 304 if the value was not stored after it.'),
    timeHeader('If-Unmodified-Since', 'A date: 412 if the value was stored after it.'),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'The value.',
      headers: headers,
      content: VALUE_READ,
    }),
    ApiResponse({ status: 304, description: 'The revision is the one in If-None-Match.', headers }),
    KeyProblems(
      { ...servedBy, ...staleness },
      'KEY_TOO_LONG',
      'KEY_NOT_FOUND',
      'PRECONDITION_FAILED',
      'UNAVAILABLE',
      'DEADLINE_EXCEEDED',
    ),
  );
}

export function DescribeDelete(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({ operationId: 'deleteKey', summary: 'Delete a key' }),
    KeyParameter(),
    conditionHeader(
      'If-Match',
      '"17": only if this is the present revision, or one of a list. *: only if the key exists.',
    ),
    conditionHeader(
      'If-None-Match',
      '*: only if the key does not exist. "17": only if this is not the present revision.',
    ),
    IdempotencyHeader(),
    TimeoutHeader(),
    ApiResponse({ status: 204, description: 'The key is gone.', headers: servedBy }),
    KeyProblems(
      servedBy,
      'KEY_TOO_LONG',
      'VALUE_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'KEY_NOT_FOUND',
      'PRECONDITION_FAILED',
      'UNAVAILABLE',
      'OUTCOME_UNKNOWN',
    ),
  );
}

export function DescribeList(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'listKeys',
      summary: 'List keys and values',
      description:
        'In byte order of the keys, over all shards. A page may hold fewer items than its limit where their values are ' +
        'large; only an answer without a cursor is the last one. With Accept: application/x-ndjson all items are ' +
        'streamed, one a line, and limit is refused; a stream that fails half-way ends with a broken connection. No key ' +
        'that exists throughout is skipped or given twice; the list is not a snapshot.',
    }),
    text('prefix', 'Only keys that begin with it.'),
    text('start', 'Only keys from this one on.'),
    text('end', 'Only keys before this one.'),
    flag('reverse', 'From the last key to the first.'),
    flag('keysOnly', 'Without values and content types.'),
    ApiQuery({
      name: 'limit',
      required: false,
      description: 'Items of one page at most. Not with a stream.',
      schema: {
        type: 'integer',
        minimum: 1,
        maximum: REST_LIMITS.listLimitMax,
        default: REST_LIMITS.listLimitDefault,
      },
    }),
    text('cursor', 'Of the page before, with the same prefix, start, end and reverse.'),
    ConsistencyParameters(),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'A page, or the stream of all items.',
      headers: { ...servedBy, ...staleness },
      content: {
        ...jsonContent('ListResponse'),
        'application/x-ndjson': {
          schema: { type: 'string', description: 'Lines, an Item as JSON in each.' },
        },
      },
    }),
    Problems('UNAVAILABLE', 'DEADLINE_EXCEEDED'),
  );
}

export function DescribeBatch(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'batchKeys',
      summary: 'Many operations in one request',
      description:
        'At most 1,000 operations and 8 MiB. Not atomic: each stands alone, with a result of its own in the same ' +
        'order; operations on the same key are carried out in their order. Once the reads of a batch have given back ' +
        '8 MiB of values, those not yet begun get REQUEST_TOO_LARGE. Accept chooses what the answer is written in: ' +
        'JSON, or CBOR (RFC 8949), in which each value is bytes and there is no valueBase64.',
      requestBody: { required: true, content: batchContent('BatchRequest') },
    }),
    ConsistencyParameters(),
    IdempotencyHeader(),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'A result for each operation, whatever became of it.',
      headers: { ...servedBy, ...staleness },
      content: batchContent('BatchResponse'),
    }),
    ChangeProblems('UNAVAILABLE'),
  );
}

export function DescribeCluster(): MethodDecorator {
  return applyDecorators(
    ApiTags('Cluster'),
    ApiOperation({
      operationId: 'getCluster',
      summary: 'The state of the cluster',
      description: 'What this gateway knows at present; it waits for nobody.',
    }),
    ApiResponse({
      status: 200,
      description: 'Also when the cluster is not healthy.',
      content: jsonContent('Cluster'),
    }),
    Problems(),
  );
}

export function DescribeLiveness(): MethodDecorator {
  return applyDecorators(
    ApiTags('Probes'),
    ApiOperation({ operationId: 'healthz', summary: 'Whether the process lives' }),
    ApiResponse({ status: 200, description: 'It lives.', content: jsonContent('Liveness') }),
    ProbeProblems(),
  );
}

export function DescribeReadiness(): MethodDecorator {
  return applyDecorators(
    ApiTags('Probes'),
    ApiOperation({ operationId: 'readyz', summary: 'Whether this gateway can serve' }),
    ApiResponse({ status: 200, description: 'It can.', content: jsonContent('Readiness') }),
    ApiResponse({
      status: 503,
      description: 'It cannot, for these reasons.',
      content: jsonContent('Readiness'),
    }),
    ProbeProblems(),
  );
}
