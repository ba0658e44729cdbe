/** Rows, and what became of requests, as clients are told. */
import { isUtf8 } from 'node:buffer';
import { REST_HEADERS } from '@ringleader/contracts';
import type { Item, Written } from '@ringleader/contracts';
import { unpackHybridTime } from '@ringleader/hybrid-clock';
import type { Row, ShardReply } from '@ringleader/paxos';
import type { HybridTime, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Answer, AnswerHeaders } from '../http/answer.js';
import { restError } from '../http/problem.filter.js';
import type { RestError } from '../http/problem.filter.js';
import type { FailureCode } from '../routing/attempts.js';
import type { Outcome } from '../routing/in-flight.js';
import type { ShardDirectory } from '../routing/shard-directory.js';

export function instantMs(time: HybridTime): number {
  return unpackHybridTime(time).wallMs;
}

/** RFC 3339, UTC. */
export function instant(time: HybridTime): string {
  return new Date(instantMs(time)).toISOString();
}

function entityTag(revision: Revision): string {
  return `"${revision}"`;
}

/** UTF-8 text as it is, anything else as base64. */
export function valueFields(value: Uint8Array): { value: string } | { valueBase64: string } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? { value: bytes.toString() } : { valueBase64: bytes.toString('base64') };
}

export function itemOf(row: Row, keysOnly: boolean): Item {
  const { key, revision, version } = row;
  const times = { createdAt: instant(row.createdAt), modifiedAt: instant(row.modifiedAt) };
  if (keysOnly) return { key, revision, version, ...times };
  return {
    key,
    revision,
    version,
    ...valueFields(row.value ?? Buffer.alloc(0)),
    contentType: row.contentType,
    ...times,
  };
}

/** What every answer of a shard says. */
export function servedBy(result: WriteResult | ReadResult, shards: ShardDirectory): (string | number)[] {
  return result.servedBy === null ? [] : [REST_HEADERS.servedBy, shards.name(result.servedBy)];
}

/** Without the value where the client has it. */
export function valueAnswer(
  { row, value }: Extract<ReadResult, { kind: 'found' }>,
  served: AnswerHeaders,
  isNotModified = false,
): Answer {
  const headers = [
    ...served,
    'ETag',
    entityTag(row.revision),
    REST_HEADERS.version,
    row.version,
    'Last-Modified',
    new Date(instantMs(row.modifiedAt)).toUTCString(),
  ];
  // The framework would state a length for the 304 of a HEAD, 0, and so that of the value (RFC 9110, 8.6).
  if (isNotModified) return { status: 304, headers, body: null };
  // Values are whatever somebody stored: browsers are not to guess at them, nor to run them as pages of this origin.
  headers.push('Content-Type', row.contentType, 'X-Content-Type-Options', 'nosniff');
  headers.push('Content-Security-Policy', 'sandbox');
  return { status: 200, headers, body: value };
}

export function writtenAnswer(key: string, reply: WrittenReply, served: AnswerHeaders): Answer {
  const { revision, version, created } = reply;
  const [createdAt, modifiedAt] = [instant(reply.createdAt), instant(reply.modifiedAt)];
  const written: Written = { key, revision, version, createdAt, modifiedAt };
  return {
    status: created ? 201 : 200,
    headers: [...served, 'ETag', entityTag(revision), 'Content-Type', 'application/json'],
    body: JSON.stringify(written),
  };
}

type WrittenReply = Extract<ShardReply, { readonly kind: 'written' }>;

export type WriteResult =
  { readonly kind: 'written'; readonly reply: WrittenReply; readonly servedBy: ShardOrdinal } | Refused;

/** `servedBy` null: no shard said so. */
interface Refused {
  readonly kind: 'refused';
  readonly error: RestError;
  readonly servedBy: ShardOrdinal | null;
}

export type ReadResult =
  | {
      readonly kind: 'found';
      readonly row: Row;
      readonly value: Uint8Array;
      readonly stalenessMs: number | null;
      readonly servedBy: ShardOrdinal;
    }
  | {
      readonly kind: 'absent';
      readonly error: RestError;
      readonly stalenessMs: number | null;
      readonly servedBy: ShardOrdinal;
    }
  | Refused;

const FAILURES: Readonly<Record<FailureCode, string>> = {
  OVERLOADED: 'Too much is under way; nothing was done',
  UNAVAILABLE: 'No majority of the replicas of this key could be reached in time; nothing was done',
  OUTCOME_UNKNOWN: 'No answer came in time: the write may or may not have been done',
  DEADLINE_EXCEEDED: 'No answer came in time',
};

const FORGOTTEN =
  'Nothing was done now, but nobody can tell any more whether an earlier attempt with this Idempotency-Key was';

export function writeResult(kind: 'put' | 'delete', key: string, outcome: Outcome): WriteResult {
  if (outcome.kind === 'failed') return { kind: 'refused', error: failure(outcome), servedBy: null };
  const { reply, servedBy } = outcome;
  switch (reply.kind) {
    case 'written':
      return { kind: 'written', reply, servedBy };
    case 'absent':
      return { kind: 'refused', error: keyNotFound(key), servedBy };
    case 'conditionFailed':
      // Of what does not exist there is nothing to delete, whatever the preconditions: they count only where the request
      // would be carried out without them (RFC 9110, 13.2.1).
      if (kind === 'delete' && reply.revision === 0) {
        return { kind: 'refused', error: keyNotFound(key), servedBy };
      }
      return { kind: 'refused', error: preconditionFailed(reply.revision, reply.version), servedBy };
    default:
      throw new Error(`A write was answered with ${reply.kind}`);
  }
}

export function readResult(key: string, outcome: Outcome): ReadResult {
  if (outcome.kind === 'failed') return { kind: 'refused', error: failure(outcome), servedBy: null };
  const { reply, servedBy } = outcome;
  if (reply.kind !== 'row') throw new Error(`A read was answered with ${reply.kind}`);
  const { row, stalenessMs } = reply;
  const value = row?.value ?? null;
  if (row === null || value === null)
    return { kind: 'absent', error: keyNotFound(key), stalenessMs, servedBy };
  return { kind: 'found', row, value, stalenessMs, servedBy };
}

export function preconditionFailed(revision: number, version: number): RestError {
  const present =
    revision === 0 ? 'the key does not exist' : `its revision is ${revision}, its version ${version}`;
  return restError('PRECONDITION_FAILED', `The condition does not hold: ${present}`, { revision, version });
}

function keyNotFound(key: string): RestError {
  return restError('KEY_NOT_FOUND', 'There is no such key', { key });
}

function failure({ code, forgotten }: Extract<Outcome, { kind: 'failed' }>): RestError {
  return restError(code, forgotten === true ? FORGOTTEN : FAILURES[code]);
}
