import { compareKeys, leastEnd, type ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { FinishRequest, PageRequest } from '../messages.js';
import type { Replica } from '../partition/replica.js';
import { bytesOf } from '../partition/batches.js';
import type { PartitionRecord, Row } from '../records.js';
import {
  isServed,
  isSource,
  readDelta,
  recordToRead,
  requireCopy,
  serve,
  snapshotAt,
  type SourcePort,
} from './repair-source.js';

export type CopySourcePort = SourcePort & Port<'now' | 'limits' | 'outbox' | 'reads'>;

/** 4.3.4, 4.3.5: rows from a key on, all of them or those past the base, and the present rows of the named keys. */
export function onPageRequest(
  context: CopySourcePort,
  replica: Replica,
  from: ShardOrdinal,
  message: PageRequest,
): void {
  if (!isSource(context, replica, from, message)) return;
  if (isServed(context, replica, from)) return;
  const { leader } = replica;
  context.served.readBegins(from, replica.partition);
  if (leader === null) {
    // A candidate's: nobody serves the partition before it has them.
    const bytesMax = context.limits.repairBytesMax;
    beginPage(context, replica, { from, message, bytesMax, end: () => undefined });
    return;
  }
  leader.progressOf(from).askedAt = context.now;
  context.copyPace.add((bytesMax) => {
    const startedAt = context.now;
    const end = (bytes: number): void => {
      context.copyPace.ended({ bytesMax, bytes, tookMs: context.now - startedAt }, context.now);
    };
    beginPage(context, replica, { from, message, bytesMax, end });
  });
}

interface Question {
  readonly from: ShardOrdinal;
  readonly message: PageRequest;
  /** Of the page. */
  readonly bytesMax: number;
  /** Called once, with the bytes that were given away. */
  readonly end: (bytes: number) => void;
}

interface NamedRows {
  readonly rows: readonly Row[];
  readonly absent: readonly string[];
  /** The first key that was not looked at: the page ends before it. Null where all were. */
  readonly end: string | null;
}

const NOTHING_NAMED: NamedRows = { rows: [], absent: [], end: null };

function beginPage(context: CopySourcePort, replica: Replica, question: Question): void {
  const { length } = question.message.keys;
  if (length === 0) readPage(context, replica, question, NOTHING_NAMED);
  else readNamed(context, replica, question, length);
}

/** What a read for the page is of, as it is handed out; null where it is withdrawn, and the page with it. */
function recordForPage(
  context: CopySourcePort,
  replica: Replica,
  question: Question,
): PartitionRecord | null {
  const record = recordToRead(context, replica, question.from, question.message.ballot);
  if (record === null) question.end(0);
  return record;
}

/**
 * Read before the page: what changes in between is past the base, and so in a page. Where the rows are too much for one
 * answer, those of fewer keys: the first `count` of them. One goes whatever its length, as a page has its first row.
 */
function readNamed(context: CopySourcePort, replica: Replica, question: Question, count: number): void {
  const { keys } = question.message;
  const asked = keys.slice(0, count);
  context.reads.delta(
    () => {
      const snapshot = recordForPage(context, replica, question);
      if (snapshot === null) return null;
      const { partition, generation } = snapshot;
      const limitBytes = count > 1 ? context.limits.repairBytesMax : Number.MAX_SAFE_INTEGER;
      const nothingPast = { base: Number.MAX_SAFE_INTEGER, limitRows: 1 };
      return { kind: 'delta', partition, generation, keys: asked, ...nothingPast, limitBytes };
    },
    ({ named, tooLarge }) => {
      if (tooLarge) {
        readNamed(context, replica, question, Math.ceil(count / 2));
        return;
      }
      const rows = named.filter((row) => row !== null);
      const absent = asked.filter((_key, index) => (named[index] ?? null) === null);
      readPage(context, replica, question, { rows, absent, end: keys[count] ?? null });
    },
  );
}

function readPage(context: CopySourcePort, replica: Replica, question: Question, named: NamedRows): void {
  const { from, message, bytesMax: limitBytes } = question;
  const { partition, epoch, ballot, base, copyId, pass, start } = message;
  context.reads.page(
    () => {
      const snapshot = recordForPage(context, replica, question);
      if (snapshot === null) return null;
      const { generation } = snapshot;
      const { repairRowsMax: limitRows } = context.limits;
      return { kind: 'page', partition, generation, start, base, keysOnly: false, limitRows, limitBytes };
    },
    (result) => {
      context.served.readEnds(from, partition);
      const { end } = named;
      const page = result.rows.filter(({ key }) => end === null || compareKeys(key, end) < 0);
      const rows = merge(page, named.rows);
      question.end(bytesOf(rows));
      if (snapshotAt(replica, ballot) === null) return;
      serve(context, replica, from, {
        kind: 'page',
        partition,
        epoch,
        ballot,
        copyId,
        pass,
        start,
        nextKey: leastEnd(result.nextKey, end),
        rows,
        absent: withoutRows(named.absent, page),
        commit: replica.commit,
        purgedTo: replica.record.purgedTo,
        dedupeFloor: replica.record.dedupeFloor,
      });
    },
  );
}

/** The page was read after the named rows: where both have a key, the page's row is as new or newer. */
function merge(page: readonly Row[], named: readonly Row[]): Row[] {
  const keys = new Set(page.map((row) => row.key));
  return [...page, ...named.filter((row) => !keys.has(row.key))];
}

function withoutRows(absent: readonly string[], page: readonly Row[]): string[] {
  const keys = new Set(page.map((row) => row.key));
  return absent.filter((key) => !keys.has(key));
}

/** 4.3.5: a repair of the staged rows, if the rest fits one. */
export function onFinishRequest(
  context: CopySourcePort,
  replica: Replica,
  from: ShardOrdinal,
  message: FinishRequest,
): void {
  if (!isSource(context, replica, from, message)) return;
  if (isServed(context, replica, from)) return;
  const { ballot, base, keys, copyId, partition, epoch } = message;
  const { leader } = replica;
  if (leader !== null) leader.progressOf(from).askedAt = context.now;
  const bytesMax = context.limits.repairBytesMax;
  readDelta(context, replica, { from, ballot, base, keys, ownRevision: base, bytesMax }, (answer) => {
    if (answer === null) {
      requireCopy(context, replica, from, message);
      return;
    }
    context.copyPace.spend(bytesOf(answer.rows), context.now);
    serve(context, replica, from, { kind: 'finish', partition, epoch, ballot, copyId, base, ...answer });
  });
}
