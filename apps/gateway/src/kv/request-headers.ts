/** What the headers of a request ask for. */
import type { IncomingHttpHeaders } from 'node:http';
import { DEFAULT_CONTENT_TYPE, OperationalError, REST_HEADERS, REST_LIMITS } from '@ringleader/contracts';
import type { Condition } from '@ringleader/paxos';
import { parseInteger } from './query.js';

/** What can stand in a header: no control characters but the tab. Header values reach us with one char for each byte. */
const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const REVISION_TAG = /^"(\d{1,16})"$/;
const NO_CONDITIONS: readonly Condition[] = [];

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

/** The conditions of a write. */
export function writeConditionsOf(headers: IncomingHttpHeaders): readonly Condition[] {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifMatch === undefined && ifNoneMatch === undefined) return NO_CONDITIONS;
  const conditions: Condition[] = [];
  if (ifMatch !== undefined) conditions.push(matchCondition(ifMatch));
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*')
      throw invalidHeader('If-None-Match', 'on a write is * (the key does not exist)');
    conditions.push({ kind: 'ifAbsent' });
  }
  return conditions;
}

function matchCondition(header: string): Condition {
  const tag = header.trim();
  if (tag === '*') return { kind: 'ifPresent' };
  const revision = revisionOfTag(tag);
  if (revision !== null) return { kind: 'ifRevision', revision };
  throw invalidHeader('If-Match', 'is * or one quoted revision, as in "17"');
}

export type ReadCondition = 'holds' | 'notModified' | 'failed';

/** RFC 9110, 13.2.2: If-Match first. Only asked about keys that exist. */
export function readCondition(headers: IncomingHttpHeaders, revision: number): ReadCondition {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !tagsMatch('If-Match', ifMatch, revision)) return 'failed';
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && tagsMatch('If-None-Match', ifNoneMatch, revision)) return 'notModified';
  return 'holds';
}

/** Throws where the conditions of a read are malformed, whether or not the key exists. */
export function checkReadConditions(headers: IncomingHttpHeaders): void {
  if (headers['if-match'] !== undefined) tagsMatch('If-Match', headers['if-match'], 0);
  if (headers['if-none-match'] !== undefined) tagsMatch('If-None-Match', headers['if-none-match'], 0);
}

/** Weak tags are compared as strong ones: a revision names one value (a cache on the way may have weakened it). */
function tagsMatch(name: string, header: string, revision: number): boolean {
  const text = header.trim();
  if (text === '*') return true;
  const revisions = text.split(',').map((tag) => revisionOfTag(tag.trim().replace(/^W\//, '')));
  if (revisions.includes(null)) throw invalidHeader(name, 'is * or quoted revisions, as in "17"');
  return revisions.includes(revision);
}

function revisionOfTag(tag: string): number | null {
  const match = REVISION_TAG.exec(tag);
  return match?.[1] === undefined ? null : parseInteger(match[1]);
}

function invalidHeader(
  header: string,
  rule: string,
  fields: Readonly<Record<string, unknown>> = {},
): OperationalError {
  return new OperationalError('INVALID_ARGUMENT', `${header} ${rule}`, { header, ...fields });
}
