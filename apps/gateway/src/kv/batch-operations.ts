/** The operations of a batch as the store takes them. What is wrong with one operation is the answer to it alone. */
import {
  DEFAULT_CONTENT_TYPE,
  OperationalError,
  REST_LIMITS,
  batchRequestSchema,
} from '@ringleader/contracts';
import type { BatchOperation } from '@ringleader/contracts';
import type { Condition, DeleteOperation, PutOperation } from '@ringleader/paxos';
import { contentTypeOf } from './request-headers.js';
import { checkKey } from './request-target.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const JSON_MEDIA_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;
const ISSUES_SHOWN_MAX = 5;
const NAME_LENGTH_SHOWN = 64;
/** The name of the body as a whole. */
const BODY = 'body';
const utf8 = new TextDecoder('utf-8', { fatal: true });

export function parseBatch(contentType: string | undefined, body: Uint8Array): readonly BatchOperation[] {
  if (contentType === undefined || !JSON_MEDIA_TYPE.test(contentType.trim())) {
    const detail = 'A batch is application/json (UTF-8)';
    throw new OperationalError('UNSUPPORTED_MEDIA_TYPE', detail, {
      contentType: contentType ?? null,
      allowed: ['application/json'],
    });
  }
  const request = parseJson(body);
  checkCount(request);
  const parsed = batchRequestSchema.safeParse(request);
  if (parsed.success) return parsed.data.operations;
  const issues = parsed.error.issues
    .slice(0, ISSUES_SHOWN_MAX)
    .map((issue) => ({ field: fieldOf(issue), message: issue.message }));
  const list = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
  const field = issues[0]?.field ?? BODY;
  throw new OperationalError('INVALID_ARGUMENT', `The batch is not valid: ${list}`, { field, issues });
}

/** As in `operations.0.key`; an unknown field by its own name. */
function fieldOf(issue: { path: PropertyKey[]; keys?: readonly string[] }): string {
  const unknown = issue.keys?.[0];
  const path = unknown === undefined ? issue.path : [...issue.path, unknown.slice(0, NAME_LENGTH_SHOWN)];
  return path.length === 0 ? BODY : path.map(String).join('.');
}

/** Before the schema, which would look at each of them. */
function checkCount(request: unknown): void {
  const { batchOperationsMax: operationsMax } = REST_LIMITS;
  const operations = (request as { operations?: unknown } | null)?.operations;
  if (!Array.isArray(operations) || operations.length <= operationsMax) return;
  const detail = `A batch has at most ${operationsMax} operations; this one has ${operations.length}`;
  throw new OperationalError('REQUEST_TOO_LARGE', detail, { operationsMax });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be read';
    const detail = `The body is not valid JSON: ${reason}`;
    throw new OperationalError('INVALID_ARGUMENT', detail, { field: BODY }, { cause });
  }
}

/** Throws what is wrong with this operation. */
export function putOperation(operation: Extract<BatchOperation, { op: 'put' }>): PutOperation {
  checkKey(operation.key);
  const value = valueOf(operation);
  const { valueBytesMax: bytesMax } = REST_LIMITS;
  if (value.length > bytesMax) {
    const detail = `A value has at most ${bytesMax} bytes; this one has ${value.length}`;
    throw new OperationalError('VALUE_TOO_LARGE', detail, { bytesMax });
  }
  const { contentType } = operation;
  return {
    kind: 'put',
    key: operation.key,
    value,
    contentType: contentType === undefined ? DEFAULT_CONTENT_TYPE : contentTypeOf(contentType),
    expiresAt: null,
    conditions: conditionsOf(operation),
  };
}

export function deleteOperation(operation: Extract<BatchOperation, { op: 'delete' }>): DeleteOperation {
  checkKey(operation.key);
  return { kind: 'delete', key: operation.key, conditions: conditionsOf(operation) };
}

function valueOf({ value, valueBase64 }: Extract<BatchOperation, { op: 'put' }>): Buffer {
  if ((value === undefined) === (valueBase64 === undefined)) {
    throw new OperationalError('INVALID_ARGUMENT', 'A put has either value or valueBase64', {
      field: 'value',
      allowed: ['value', 'valueBase64'],
    });
  }
  if (value !== undefined) {
    if (value.isWellFormed()) return Buffer.from(value);
    throw new OperationalError(
      'INVALID_ARGUMENT',
      'value holds half a surrogate pair, so it is not UTF-8 text',
      { field: 'value' },
    );
  }
  const text = valueBase64 ?? '';
  if (text.length % 4 === 0 && BASE64.test(text)) return Buffer.from(text, 'base64');
  throw new OperationalError(
    'INVALID_ARGUMENT',
    'valueBase64 is not base64 with padding (RFC 4648, section 4)',
    { field: 'valueBase64' },
  );
}

interface ConditionFields {
  readonly ifRevision?: number | undefined;
  readonly ifVersion?: number | undefined;
  readonly ifAbsent?: true | undefined;
  readonly ifPresent?: true | undefined;
}

function conditionsOf({ ifRevision, ifVersion, ifAbsent, ifPresent }: ConditionFields): readonly Condition[] {
  const conditions: Condition[] = [];
  if (ifRevision !== undefined) conditions.push({ kind: 'ifRevision', revision: ifRevision });
  if (ifVersion !== undefined) conditions.push({ kind: 'ifVersion', version: ifVersion });
  if (ifAbsent) conditions.push({ kind: 'ifAbsent' });
  if (ifPresent) conditions.push({ kind: 'ifPresent' });
  return conditions;
}
