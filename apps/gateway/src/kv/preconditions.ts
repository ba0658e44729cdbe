/**
 * The preconditions of RFC 9110, 13: each is honoured or refused, none ignored, but where the RFC says that another one
 * takes its place (13.2.2). Tags are opaque: one that no revision of ours has matches nothing.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Condition, DeleteOperation, PutOperation } from '@ringleader/paxos';
import type { MonotonicMs } from '@ringleader/primitives';
import type { Outcome } from '../routing/in-flight.js';
import type { KeyValueStore } from './key-value-store.js';
import { instantMs } from './representation.js';
import { invalidHeader, type Repeatable } from './request-context.js';

/** RFC 9110, 8.8.3; lists may have empty elements (5.6.1). */
const TAG = /[ \t,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)/y;
const TRAILING = /^[ \t,]*$/;
const REVISION = /^[1-9]\d{0,15}$/;

/** The three forms of HTTP-date (RFC 9110, 5.6.7). */
const DATES = [
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];
const SECOND_MS = 1_000;

/** No key ever has this revision. */
const NEVER: Condition = { kind: 'ifRevision', revision: Number.MAX_SAFE_INTEGER };
const NO_CONDITIONS: readonly Condition[] = [];

/** What a list of tags comes down to. */
interface Tags {
  /** `*` */
  readonly any: boolean;
  /** Revisions of its strong tags, and of all its tags. */
  readonly strong: ReadonlySet<number>;
  readonly weak: ReadonlySet<number>;
}

function tagsOf(name: string, header: string): Tags {
  const strong = new Set<number>();
  const weak = new Set<number>();
  if (header.trim() === '*') return { any: true, strong, weak };
  TAG.lastIndex = 0;
  let end = 0;
  for (let match = TAG.exec(header); match !== null; match = TAG.exec(header)) {
    end = TAG.lastIndex;
    const [, isWeak, opaque = ''] = match;
    const revision = REVISION.test(opaque) ? Number(opaque) : NaN;
    // Also none that is beyond what numbers, and frames, can hold.
    if (!Number.isSafeInteger(revision)) continue;
    weak.add(revision);
    if (isWeak === undefined) strong.add(revision);
  }
  if (end > 0 && TRAILING.test(header.slice(end))) return { any: false, strong, weak };
  throw invalidHeader(name, 'is * or a list of quoted tags, as in "17"');
}

/** Cut to the second. */
function dateOf(name: string, header: string): number {
  const form = DATES.findIndex((pattern) => pattern.test(header));
  // The third form names no zone, being always UTC.
  const time = form === -1 ? NaN : Date.parse(form === 2 ? `${header} GMT` : header);
  if (!Number.isNaN(time)) return time;
  throw invalidHeader(name, 'is an HTTP date, as in Sun, 06 Nov 1994 08:49:37 GMT');
}

export interface WriteGuard {
  /** What the shard decides by itself. */
  readonly conditions: readonly Condition[];
  /**
   * Of more than one revision, or all but some: the key must be read, and written only if it is still at the revision
   * read. Null where the conditions say all.
   */
  readonly allows: ((revision: number) => boolean) | null;
}

const NONE: Tags = { any: false, strong: new Set(), weak: new Set() };
const UNGUARDED: WriteGuard = { conditions: NO_CONDITIONS, allows: null };

export function writeGuardOf(headers: IncomingHttpHeaders): WriteGuard {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch === undefined) refuseTime(headers['if-unmodified-since'], 'If-Unmodified-Since', 'If-Match');
  if (ifNoneMatch === undefined)
    refuseTime(headers['if-modified-since'], 'If-Modified-Since', 'If-None-Match');
  if (ifMatch === undefined && ifNoneMatch === undefined) return UNGUARDED;
  const noneMatch = ifNoneMatch === undefined ? NONE : tagsOf('If-None-Match', ifNoneMatch);
  const { conditions, allows } =
    ifMatch === undefined
      ? guardOfExcluded(noneMatch.weak)
      : guardOfMatch(tagsOf('If-Match', ifMatch), noneMatch.weak);
  return { conditions: noneMatch.any ? [...conditions, { kind: 'ifAbsent' }] : conditions, allows };
}

function guardOfExcluded(excluded: ReadonlySet<number>): WriteGuard {
  if (excluded.size === 0) return UNGUARDED;
  return { conditions: NO_CONDITIONS, allows: (revision) => !excluded.has(revision) };
}

function guardOfMatch({ any, strong }: Tags, excluded: ReadonlySet<number>): WriteGuard {
  if (any) return { ...guardOfExcluded(excluded), conditions: [{ kind: 'ifPresent' }] };
  const wanted = [...strong].filter((revision) => !excluded.has(revision));
  if (wanted.length > 1) {
    return { conditions: NO_CONDITIONS, allows: (revision) => wanted.includes(revision) };
  }
  const [revision] = wanted;
  return { conditions: [revision === undefined ? NEVER : { kind: 'ifRevision', revision }], allows: null };
}

function refuseTime(time: string | undefined, name: string, instead: string): void {
  if (time === undefined) return;
  throw invalidHeader(
    name,
    `cannot guard a write: times of whole seconds do not tell two writes apart; use ${instead}`,
    { allowed: [instead] },
  );
}

/** The condition under which a guarded write may follow a read that found this revision; 0: no such key. */
function conditionAt({ allows }: WriteGuard, revision: number): Condition {
  if (allows !== null && !allows(revision)) return NEVER;
  return revision === 0 ? { kind: 'ifAbsent' } : { kind: 'ifRevision', revision };
}

export type ReadCondition = 'holds' | 'notModified' | 'failed';

interface Version {
  readonly revision: number;
  readonly modifiedAt: number;
}

/**
 * In the order of RFC 9110, 13.2.2. Only asked about keys that exist. If-Range needs no answer: there are no ranges, and
 * without them neither it nor Range means anything (14.2).
 */
export function readCondition(
  headers: IncomingHttpHeaders,
  { revision, modifiedAt }: Version,
): ReadCondition {
  const ifMatch = headers['if-match'];
  const ifUnmodifiedSince = headers['if-unmodified-since'];
  if (ifMatch !== undefined) {
    const { any, strong } = tagsOf('If-Match', ifMatch);
    if (!any && !strong.has(revision)) return 'failed';
  } else if (ifUnmodifiedSince !== undefined) {
    if (secondOf(modifiedAt) > dateOf('If-Unmodified-Since', ifUnmodifiedSince)) return 'failed';
  }
  const ifNoneMatch = headers['if-none-match'];
  const ifModifiedSince = headers['if-modified-since'];
  if (ifNoneMatch !== undefined) {
    const { any, weak } = tagsOf('If-None-Match', ifNoneMatch);
    if (any || weak.has(revision)) return 'notModified';
  } else if (ifModifiedSince !== undefined) {
    if (secondOf(modifiedAt) <= dateOf('If-Modified-Since', ifModifiedSince)) return 'notModified';
  }
  return 'holds';
}

/** Throws where the conditions of a read are malformed, whether or not the key exists. */
export function checkReadConditions(headers: IncomingHttpHeaders): void {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch !== undefined) tagsOf('If-Match', ifMatch);
  if (ifNoneMatch !== undefined) tagsOf('If-None-Match', ifNoneMatch);
  const { 'if-unmodified-since': unmodified, 'if-modified-since': modified } = headers;
  if (unmodified !== undefined) dateOf('If-Unmodified-Since', unmodified);
  if (modified !== undefined) dateOf('If-Modified-Since', modified);
}

const GUARDS = ['If-Match', 'If-Unmodified-Since'];
const ALL_CONDITIONS = [...GUARDS, 'If-None-Match', 'If-Modified-Since'];

/**
 * For what has no version: what is only read, whose reader may at most be spared what it knows, and is given it anew; and
 * a batch, whose writes would be done unguarded.
 */
export function refuseConditions(headers: IncomingHttpHeaders, resource: 'list' | 'batch' | 'page'): void {
  const names = resource === 'batch' ? ALL_CONDITIONS : GUARDS;
  const found = firstOf(names, headers);
  if (found === undefined) return;
  const instead = resource === 'batch' ? '; each operation takes conditions of its own' : '';
  throw invalidHeader(found, `means nothing with a ${resource}, which has no version${instead}`);
}

/** For changes of what has one number as a whole: If-Match compares it, and nothing else does. */
export function refuseOtherConditions(headers: IncomingHttpHeaders): void {
  const names = ALL_CONDITIONS.filter((name) => name !== 'If-Match');
  const found = firstOf(names, headers);
  if (found === undefined) return;
  throw invalidHeader(found, 'means nothing here; use If-Match', { allowed: ['If-Match'] });
}

function firstOf(names: readonly string[], headers: IncomingHttpHeaders): string | undefined {
  return names.find((name) => headers[name.toLowerCase()] !== undefined);
}

function secondOf(modifiedAt: number): number {
  return Math.floor(instantMs(modifiedAt) / SECOND_MS) * SECOND_MS;
}

export interface GuardedWrite {
  readonly operation: PutOperation | DeleteOperation;
  readonly guard: WriteGuard;
  readonly repeatable: Repeatable | null;
  readonly deadline: MonotonicMs;
}

/** A write under its preconditions. */
export async function guardedWrite(
  store: Pick<KeyValueStore, 'write' | 'read'>,
  { operation, guard, repeatable, deadline }: GuardedWrite,
): Promise<Outcome> {
  const { allows } = guard;
  if (allows === null) return store.write(operation, repeatable, deadline);
  for (;;) {
    const read = await store.read(operation.key, { kind: 'linearizable' }, deadline);
    // Nothing was written, so that nothing is unknown about it.
    if (read.kind === 'failed') return { ...read, code: 'UNAVAILABLE' };
    const condition = conditionAt(guard, presentRevision(read));
    // Also where it cannot hold: the shard may know the request as one that was done.
    const conditions = [...guard.conditions, condition];
    const outcome = await store.write({ ...operation, conditions }, repeatable, deadline);
    if (outcome.kind === 'failed' || outcome.reply.kind !== 'conditionFailed') return outcome;
    const { revision } = outcome.reply;
    // If the key is as it was read, another condition failed. Else somebody wrote in between.
    if (revision === presentRevision(read) || !allows(revision)) return outcome;
    // A repeat of this request would get the same answer again.
    if (repeatable !== null) return outcome;
  }
}

function presentRevision({ reply }: Extract<Outcome, { kind: 'answered' }>): number {
  return reply.kind === 'row' && reply.row?.value ? reply.row.revision : 0;
}
