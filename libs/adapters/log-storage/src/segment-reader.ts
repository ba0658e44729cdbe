/**
 * Reads a segment and judges how it ends. Only one batch is ever on its way to the disk, so only the last record of the last
 * segment can be torn by a crash, and only if nothing valid lies behind it. Since the segment was full of zeros, a write that did
 * not finish leaves some of them: the whole rest of the record, or whole sectors of it (a disk writes a sector whole, but sectors in
 * any order). A record that is invalid without such a sign was damaged after it was written, and may have been acknowledged. So was
 * one that the end of the file cuts: the whole file was there before anything was written into it.
 */
import { isAnyRecordAfter, readRecord, recordHeaderBytes, type RecordAt } from './record.js';

const sectorBytes = 512;

export interface SegmentRecord {
  readonly sequence: number;
  readonly payload: Buffer;
  readonly offset: number;
}

export interface SegmentContents {
  readonly records: readonly SegmentRecord[];
  /** Where the next record goes. */
  readonly end: number;
  readonly tail: SegmentTail;
}

export type SegmentTail =
  | { readonly kind: 'clean' }
  | { readonly kind: 'torn'; readonly bytes: number; readonly reason: string }
  | { readonly kind: 'corrupt'; readonly reason: string };

/** `start`: where its first record is. */
export function readSegment(segment: Buffer, firstSequence: number, start: number): SegmentContents {
  const records: SegmentRecord[] = [];
  let offset = start;
  let next = readRecord(segment, offset);
  while (next.kind === 'record' && next.sequence === firstSequence + records.length) {
    records.push({ sequence: next.sequence, payload: next.payload, offset });
    offset = next.end;
    next = readRecord(segment, offset);
  }
  return { records, end: offset, tail: judgeTail(segment, offset, next) };
}

function judgeTail(segment: Buffer, offset: number, found: RecordAt): SegmentTail {
  if (found.kind === 'record') return { kind: 'corrupt', reason: 'a record is missing before this one' };
  const remains = lastNonZero(segment) + 1 - offset;
  const { reason } = found;
  if (remains <= 0) return { kind: 'clean' };
  if (isAnyRecordAfter(segment, offset))
    return { kind: 'corrupt', reason: `${reason}, and records follow it` };
  return isUnfinished(segment, offset, found.claimedEnd)
    ? { kind: 'torn', bytes: remains, reason: 'the last write was not finished' }
    : { kind: 'corrupt', reason };
}

function isUnfinished(segment: Buffer, offset: number, claimedEnd: number | null): boolean {
  const headerEnd = offset + recordHeaderBytes;
  const end = claimedEnd ?? headerEnd;
  if (end > segment.length) return false;
  if (lastNonZero(segment) + 1 < end) return true;
  if (claimedEnd === null && isZero(segment, offset, headerEnd)) return true;
  return hasZeroSector(segment, offset, end);
}

/** Whether a whole sector of the range is zero, or all that the range has of its first one. */
function hasZeroSector(segment: Buffer, start: number, end: number): boolean {
  const firstBoundary = Math.ceil(start / sectorBytes) * sectorBytes;
  if (start < firstBoundary && isZero(segment, start, Math.min(firstBoundary, end))) return true;
  for (let at = firstBoundary; at < end; at += sectorBytes) {
    if (isZero(segment, at, Math.min(at + sectorBytes, segment.length))) return true;
  }
  return false;
}

function isZero(segment: Buffer, start: number, end: number): boolean {
  return segment.subarray(start, end).every((byte) => byte === 0);
}

function lastNonZero(segment: Buffer): number {
  let at = segment.length - 1;
  while (at >= 0 && segment[at] === 0) at -= 1;
  return at;
}
