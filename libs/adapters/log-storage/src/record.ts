/**
 * One record is one batch, and has one checksum: a torn write is always the last record, all of it, whatever order the disk wrote
 * its sectors in. Records start at multiples of 8:
 *
 *   magic u32 | payload length u32 | sequence u64 | checksum of payload u32 | checksum of these 20 bytes u32 | payload | trailer u32
 *
 * The sequence counts records through all segments, so that a lost one is missed. The trailer is not zero, so that in a segment
 * that was filled with zeros a record of which a suffix was not written is told from one that was damaged later.
 */
import { crc32 } from 'node:zlib';

export const recordHeaderBytes = 24;
export const recordTrailerBytes = 4;
const magic = 0x52_4c_62_31;
const trailer = 0x31_62_4c_52;

export type RecordAt =
  | {
      readonly kind: 'record';
      readonly sequence: number;
      readonly payload: Buffer;
      /** Where the next one starts. */
      readonly end: number;
    }
  | {
      readonly kind: 'invalid';
      /** Of the whole record, where its header is whole. */
      readonly claimedEnd: number | null;
      readonly reason: string;
    };

export function recordSize(payloadBytes: number): number {
  return alignUp(recordHeaderBytes + payloadBytes + recordTrailerBytes);
}

export function alignUp(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

/** Fills in what surrounds the payload, which is at its place in `record` already. */
export function sealRecord(record: Buffer, payloadBytes: number, sequence: number): void {
  const payload = record.subarray(recordHeaderBytes, recordHeaderBytes + payloadBytes);
  record.writeUInt32LE(magic, 0);
  record.writeUInt32LE(payloadBytes, 4);
  record.writeBigUInt64LE(BigInt(sequence), 8);
  record.writeUInt32LE(crc32(payload), 16);
  record.writeUInt32LE(crc32(record.subarray(0, 20)), 20);
  record.writeUInt32LE(trailer, recordHeaderBytes + payloadBytes);
  record.fill(0, recordHeaderBytes + payloadBytes + recordTrailerBytes);
}

export function readRecord(segment: Buffer, offset: number): RecordAt {
  if (offset + recordHeaderBytes > segment.length) {
    return { kind: 'invalid', claimedEnd: null, reason: 'the file ends within a record' };
  }
  const isHeaderWhole =
    segment.readUInt32LE(offset) === magic &&
    segment.readUInt32LE(offset + 20) === crc32(segment.subarray(offset, offset + 20));
  if (!isHeaderWhole) return { kind: 'invalid', claimedEnd: null, reason: 'a record has no valid header' };
  const payloadStart = offset + recordHeaderBytes;
  const payloadEnd = payloadStart + segment.readUInt32LE(offset + 4);
  const claimedEnd = payloadEnd + recordTrailerBytes;
  if (claimedEnd > segment.length) {
    return { kind: 'invalid', claimedEnd, reason: 'the file ends within a record' };
  }
  const payload = segment.subarray(payloadStart, payloadEnd);
  if (crc32(payload) !== segment.readUInt32LE(offset + 16) || segment.readUInt32LE(payloadEnd) !== trailer) {
    return { kind: 'invalid', claimedEnd, reason: 'the checksum of a record does not match' };
  }
  const sequence = Number(segment.readBigUInt64LE(offset + 8));
  return { kind: 'record', sequence, payload, end: alignUp(claimedEnd) };
}

/** Whether any valid record lies after `offset`, wherever damage has made the reader lose its step. */
export function isAnyRecordAfter(segment: Buffer, offset: number): boolean {
  const pattern = Buffer.alloc(4);
  pattern.writeUInt32LE(magic);
  for (let at = segment.indexOf(pattern, offset + 1); at >= 0; at = segment.indexOf(pattern, at + 1)) {
    if (at % 8 === 0 && readRecord(segment, at).kind === 'record') return true;
  }
  return false;
}
