/** The resources below /v1/kv in the OpenAPI document. */
import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { REST_HEADERS, REST_LIMITS } from '@ringleader/contracts';
import {
  IdempotencyHeader,
  jsonContent,
  Problems,
  RESPONSE_HEADERS,
  schemaRef,
  TimeoutHeader,
} from './describe.js';

const TAG = 'Keys and values';
const ANY_VALUE = { '*/*': { schema: { type: 'string', format: 'binary' } } };
const { etag, servedBy, staleness } = RESPONSE_HEADERS;

const text = (name: string, description: string): MethodDecorator =>
  ApiQuery({ name, required: false, description, schema: { type: 'string' } });
const flag = (name: string, description: string): MethodDecorator =>
  ApiQuery({ name, required: false, description, schema: { type: 'boolean', default: false } });
const conditionHeader = (name: string, description: string): MethodDecorator =>
  ApiHeader({ name, required: false, description, schema: { type: 'string' } });

function KeyParameter(): MethodDecorator {
  return ApiParam({
    name: 'key',
    description:
      'Everything behind /v1/kv/, slashes included, percent-decoded once: 1 to 1,024 bytes of UTF-8. Clients that ' +
      'normalise paths need %2F in keys with // or with the segments . and ..',
    schema: { type: 'string', minLength: 1 },
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
      description: 'Any bytes, of any Content-Type.',
    }),
    KeyParameter(),
    ApiBody({ required: false, description: 'The value: up to 1 MiB.', content: ANY_VALUE } as never),
    conditionHeader('If-Match', '"17": only if this is the present revision. *: only if the key exists.'),
    conditionHeader('If-None-Match', '*: only if the key does not exist.'),
    IdempotencyHeader(),
    TimeoutHeader(),
    ApiResponse({ status: 201, description: 'The key is new.', ...written }),
    ApiResponse({ status: 200, description: 'The value of the key was replaced.', ...written }),
    Problems('KEY_TOO_LONG', 'VALUE_TOO_LARGE', 'PRECONDITION_FAILED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'),
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
      description:
        'As it was stored, with the Content-Type it was stored with. HEAD gives the headers alone.',
    }),
    KeyParameter(),
    ConsistencyParameters(),
    conditionHeader('If-None-Match', '"17": 304 if this is still the revision.'),
    conditionHeader('If-Match', '"17": 412 if this is not the revision any more.'),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'The value.',
      headers: headers,
      content: ANY_VALUE,
    }),
    ApiResponse({ status: 304, description: 'The revision is the one in If-None-Match.' }),
    Problems('KEY_TOO_LONG', 'KEY_NOT_FOUND', 'PRECONDITION_FAILED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'),
  );
}

export function DescribeDelete(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({ operationId: 'deleteKey', summary: 'Delete a key' }),
    KeyParameter(),
    conditionHeader('If-Match', '"17": only if this is the present revision. *: only if the key exists.'),
    conditionHeader('If-None-Match', '*: only if the key does not exist.'),
    IdempotencyHeader(),
    TimeoutHeader(),
    ApiResponse({ status: 204, description: 'The key is gone.', headers: servedBy }),
    Problems('KEY_TOO_LONG', 'KEY_NOT_FOUND', 'PRECONDITION_FAILED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'),
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
      content: { ...jsonContent('ListResponse'), 'application/x-ndjson': { schema: schemaRef('Item') } },
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
        '8 MiB of values, those not yet begun get REQUEST_TOO_LARGE.',
    }),
    ApiBody({ required: true, content: jsonContent('BatchRequest') } as never),
    ConsistencyParameters(),
    IdempotencyHeader(),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'A result for each operation, whatever became of it.',
      headers: { ...servedBy, ...staleness },
      content: jsonContent('BatchResponse'),
    }),
    Problems('UNSUPPORTED_MEDIA_TYPE', 'REQUEST_TOO_LARGE', 'UNAVAILABLE'),
  );
}
