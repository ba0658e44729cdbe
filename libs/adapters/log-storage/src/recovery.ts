/**
 * From files to what a member remembers. Read-only but for the end: a torn tail is filled with zeros again, and the last record is
 * written once more.
 */
import { join } from 'node:path';
import { decodeBatch, type StoredBatch } from './batch-codec.js';
import type { Disk } from './disk.js';
import { decodeSegmentHeader, fillWithZeros, segmentNumber, type StoredSegmentHeader } from './segment.js';
import { readSegment, type SegmentContents } from './segment-reader.js';
import { corruptLog } from './storage-errors.js';
import type { LogEntry, LogPoint, LogRepair } from './types.js';

/** A segment as compaction sees it. */
export interface SegmentSummary {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
  /** Of its entries and of the points at which it starts the log anew; 0 when it has none. */
  lastIndex: number;
  /** Whether it says that the next one was made; null where its version cannot. */
  isFollowed: boolean | null;
  /** Whose it says that it is; null where its version cannot. */
  owner: number | null;
}

export interface RecoveredSegments {
  readonly segments: SegmentSummary[];
  readonly batches: readonly StoredBatch[];
  readonly nextSequence: number;
  /** Where the next record goes in the last segment. */
  readonly end: number;
  readonly repairs: readonly LogRepair[];
  /** Whether any of them is of the format that has an identity beside it. */
  readonly haveIdentity: boolean;
}

/** `sizeBytesMin`: of segments that do not say with which size they were made. */
export async function recoverSegments(
  disk: Disk,
  directory: string,
  sizeBytesMin: number,
): Promise<RecoveredSegments> {
  const numbers = await listSegments(disk, directory);
  const segments: SegmentSummary[] = [];
  const batches: StoredBatch[] = [];
  const repairs: LogRepair[] = [];
  let nextSequence = 1;
  let end = 0;
  let haveIdentity = false;
  for (const { number, path } of numbers) {
    const bytes = await disk.read(path);
    const isFirst = segments.length === 0;
    const header = checkHeader(bytes, path, number, isFirst ? null : nextSequence);
    const { firstSequence, isFollowed, owner } = header;
    const isLast = number === numbers.at(-1)?.number;
    checkSize(bytes, path, header.sizeBytes, sizeBytesMin);
    if (isLast && isFollowed === true) throw missingSegment(path, number + 1, 'after');
    haveIdentity ||= header.hasIdentity;
    const contents = readSegment(bytes, firstSequence, header.end);
    const repair = await repairTail(disk, { path, bytes, contents, isLast });
    if (repair !== null) repairs.push(repair);
    const stored = decodeAll(contents, path);
    if (isLast) await writeLastAgain(disk, { path, bytes, contents });
    const lastIndex = stored.reduce(
      (last, { entries, base }) => Math.max(last, lastIndexOf(entries, base)),
      0,
    );
    segments.push({ number, path, sizeBytes: bytes.length, lastIndex, isFollowed, owner });
    batches.push(...stored);
    nextSequence = firstSequence + contents.records.length;
    end = contents.end;
  }
  return { segments, batches, nextSequence, end, repairs, haveIdentity };
}

/** A batch is needed until a snapshot goes past this. */
export function lastIndexOf(entries: readonly LogEntry[], base: LogPoint): number {
  return Math.max(entries.at(-1)?.index ?? 0, base.index);
}

async function listSegments(disk: Disk, directory: string): Promise<{ number: number; path: string }[]> {
  const found: { number: number; path: string }[] = [];
  for (const name of await disk.list(directory)) {
    const number = segmentNumber(name);
    if (number === null) continue;
    const expected = (found.at(-1)?.number ?? number - 1) + 1;
    const path = join(directory, name);
    if (number !== expected) throw missingSegment(path, expected, 'before');
    found.push({ number, path });
  }
  return found;
}

function missingSegment(path: string, number: number, side: 'before' | 'after'): Error {
  const reason = `the segment with the number ${String(number)} ${side} this one is missing`;
  return corruptLog({ file: path, offset: 0, reason });
}

function checkSize(bytes: Buffer, path: string, madeBytes: number | null, sizeBytesMin: number): void {
  if (bytes.length >= (madeBytes ?? sizeBytesMin)) return;
  const made = madeBytes === null ? `${String(sizeBytesMin)} or more` : String(madeBytes);
  const reason = `the end of the file is lost: it was made with ${made} bytes, and has ${String(bytes.length)}`;
  throw corruptLog({ file: path, offset: bytes.length, reason });
}

/** `expected` is null for the oldest segment, which begins anywhere. */
function checkHeader(
  bytes: Buffer,
  path: string,
  number: number,
  expected: number | null,
): StoredSegmentHeader {
  const result = decodeSegmentHeader(bytes);
  if (result.kind === 'invalid') throw corruptLog({ file: path, offset: 0, reason: result.reason });
  const { header } = result;
  if (header.number !== number) {
    throw corruptLog({ file: path, offset: 0, reason: 'the segment is another than its name says' });
  }
  if (expected !== null && header.firstSequence !== expected) {
    const reason = `the record ${String(expected)} is missing: the segment starts with ${String(header.firstSequence)}`;
    throw corruptLog({ file: path, offset: 0, reason });
  }
  return header;
}

interface ReadSegment {
  readonly path: string;
  readonly bytes: Buffer;
  readonly contents: SegmentContents;
  readonly isLast: boolean;
}

async function repairTail(disk: Disk, read: ReadSegment): Promise<LogRepair | null> {
  const { path, bytes, contents, isLast } = read;
  const { tail, end } = contents;
  if (tail.kind === 'clean') return null;
  if (tail.kind === 'corrupt' || !isLast) throw corruptLog({ file: path, offset: end, reason: tail.reason });
  const file = await disk.open(path);
  try {
    await fillWithZeros(file, end, bytes.length);
    await file.sync();
  } finally {
    await file.close();
  }
  return { file: path, offset: end, bytes: tail.bytes, reason: tail.reason };
}

/**
 * It may be only in the kernel's memory: where the process was killed between the write and its sync; or where the sync failed, after
 * which the kernel calls the pages written, though the disk does not have them. What is found at a start counts as durable from then
 * on, so it is made so: a sync alone would write nothing of what the kernel calls written.
 */
async function writeLastAgain(
  disk: Disk,
  { path, bytes, contents }: Pick<ReadSegment, 'path' | 'bytes' | 'contents'>,
): Promise<void> {
  const last = contents.records.at(-1);
  if (last === undefined) return;
  const file = await disk.open(path);
  try {
    await file.write(bytes.subarray(last.offset, contents.end), last.offset);
    await file.datasync();
  } finally {
    await file.close();
  }
}

function decodeAll(contents: SegmentContents, path: string): StoredBatch[] {
  return contents.records.map(({ payload, offset }) => {
    const batch = decodeBatch(payload);
    if (batch === null) throw corruptLog({ file: path, offset, reason: 'a record is not a batch' });
    return batch;
  });
}
