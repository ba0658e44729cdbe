/** The operations of a batch, whatever they were written in, as shards take them. What is wrong with one of them is its own answer. */
import { DEFAULT_CONTENT_TYPE, OperationalError, REST_LIMITS } from '@ringleader/contracts';
import type { BatchOperation } from '@ringleader/contracts';
import type { Condition, DeleteOperation, PutOperation } from '@ringleader/paxos';
import { checkKey } from '../http/request-target.js';
import { contentTypeOf } from './request-context.js';

type JsonPut = Extract<BatchOperation, { op: 'put' }>;

/** A value is text, or bytes. */
export type GivenPut = Omit<JsonPut, 'value'> & { readonly value?: string | Uint8Array | undefined };
export type GivenOperation = GivenPut | Exclude<BatchOperation, JsonPut>;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const NO_CONDITIONS: readonly Condition[] = [];

/** Throws what is wrong with this operation. */
export function putOperation(operation: GivenPut): PutOperation {
  const { key, contentType } = operation;
  checkKey(key);
  const value = valueOf(operation);
  const { valueBytesMax: bytesMax } = REST_LIMITS;
  if (value.length > bytesMax) {
    const detail = `A value has at most ${bytesMax} bytes; this one has ${value.length}`;
    throw new OperationalError('VALUE_TOO_LARGE', detail, { bytesMax });
  }
  return {
    kind: 'put',
    key,
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

function valueOf({ value, valueBase64 }: GivenPut): Uint8Array {
  if (value === undefined && valueBase64 === undefined) {
    throw new OperationalError('INVALID_ARGUMENT', 'A put has a value', { field: 'value' });
  }
  if (value !== undefined && valueBase64 !== undefined) {
    throw new OperationalError('INVALID_ARGUMENT', 'A put has either value or valueBase64', {
      field: 'value',
      allowed: ['value', 'valueBase64'],
    });
  }
  if (value instanceof Uint8Array) return value;
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
  if (ifRevision === undefined && ifVersion === undefined && !ifAbsent && !ifPresent) return NO_CONDITIONS;
  const conditions: Condition[] = [];
  if (ifRevision !== undefined) conditions.push({ kind: 'ifRevision', revision: ifRevision });
  if (ifVersion !== undefined) conditions.push({ kind: 'ifVersion', version: ifVersion });
  if (ifAbsent) conditions.push({ kind: 'ifAbsent' });
  if (ifPresent) conditions.push({ kind: 'ifPresent' });
  return conditions;
}
