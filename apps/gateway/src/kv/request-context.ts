/** What a request below /v1/kv says of itself besides its operation. */
import type { IncomingHttpHeaders } from 'node:http';
import { DEFAULT_CONTENT_TYPE, OperationalError, REST_HEADERS, REST_LIMITS } from '@ringleader/contracts';
import { integerParameter, invalidParameter, parseInteger } from '../http/request-target.js';
import type { Query } from '../http/request-target.js';

/** What can stand in a header: no control characters but the tab. Header values reach us with one char for each byte. */
const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

export function timeoutMsOf(headers: IncomingHttpHeaders): number {
  const text = headers['ringleader-timeout-ms'];
  if (text === undefined) return REST_LIMITS.timeoutMsDefault;
  const { timeoutMsMax } = REST_LIMITS;
  const value = typeof text === 'string' ? parseInteger(text) : null;
  if (value !== null && value >= 1 && value <= timeoutMsMax) return value;
  throw invalidHeader(REST_HEADERS.timeoutMs, `is an integer from 1 to ${timeoutMsMax}`, {
    min: 1,
    max: timeoutMsMax,
  });
}

export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | null {
  const text = headers['idempotency-key'];
  if (text === undefined) return null;
  const { idempotencyKeyLengthMax } = REST_LIMITS;
  if (typeof text === 'string' && text.length >= 1 && text.length <= idempotencyKeyLengthMax) return text;
  throw invalidHeader(REST_HEADERS.idempotencyKey, `has 1 to ${idempotencyKeyLengthMax} characters`, {
    lengthMax: idempotencyKeyLengthMax,
  });
}

export function contentTypeOf(contentType: string | undefined): string {
  if (contentType === undefined || contentType === '') return DEFAULT_CONTENT_TYPE;
  const { contentTypeLengthMax } = REST_LIMITS;
  if (contentType.length <= contentTypeLengthMax && HEADER_TEXT.test(contentType)) return contentType;
  throw invalidHeader(
    'Content-Type',
    `has at most ${contentTypeLengthMax} characters, none of them a control character`,
    {
      lengthMax: contentTypeLengthMax,
    },
  );
}

/** The idempotency key, and which of several writes under it this is. */
export interface Repeatable {
  readonly idempotencyKey: string;
  readonly occurrence: number;
}

export function repeatableOf(headers: IncomingHttpHeaders): Repeatable | null {
  const idempotencyKey = idempotencyKeyOf(headers);
  return idempotencyKey === null ? null : { idempotencyKey, occurrence: 0 };
}

export type Consistency =
  { readonly kind: 'linearizable' } | { readonly kind: 'stale'; readonly maxStalenessMs: number | null };

export const CONSISTENCY_PARAMETERS = ['consistency', 'maxStalenessMs'];
const LINEARIZABLE: Consistency = { kind: 'linearizable' };

export function consistencyOf(query: Query): Consistency {
  const kind = query.get('consistency') ?? 'linearizable';
  const maxStalenessMs = integerParameter(query, 'maxStalenessMs', 0, Number.MAX_SAFE_INTEGER);
  if (kind === 'stale') return { kind, maxStalenessMs: maxStalenessMs ?? null };
  if (kind !== 'linearizable') {
    const allowed = ['linearizable', 'stale'];
    throw invalidParameter('consistency', 'consistency is linearizable or stale', { allowed });
  }
  if (maxStalenessMs !== undefined) {
    throw invalidParameter('maxStalenessMs', 'maxStalenessMs goes with consistency=stale only');
  }
  return LINEARIZABLE;
}

export function invalidHeader(
  header: string,
  rule: string,
  fields: Readonly<Record<string, unknown>> = {},
): OperationalError {
  return new OperationalError('INVALID_ARGUMENT', `${header} ${rule}`, { header, ...fields });
}
