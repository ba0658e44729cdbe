/**
 * A segment is a file of records after a header, filled with zeros to its size when it is made, so that a sync of what is
 * written into it later moves no metadata. Its name and its header carry its number; numbers have no gaps.
 *
 *   magic 8 bytes | version u32 | segment number u64 | sequence of its first record u64 | checksum of these u32
 *
 * Version 1 was written before logs had identities; a segment of version 2 says that there is one beside it (identity-file.ts).
 */
import { crc32 } from 'node:zlib';
import { join } from 'node:path';
import type { Disk } from './disk.js';

export const segmentHeaderBytes = 32;
const formatVersion = 2;
const versionWithoutIdentity = 1;
const magic = Buffer.from('RINGLOG\n', 'latin1');

export interface SegmentHeader {
  readonly number: number;
  readonly firstSequence: number;
}

/** As it was read. */
export interface StoredSegmentHeader extends SegmentHeader {
  /** Nothing is written into a log of this format before its identity is. */
  readonly hasIdentity: boolean;
}

export type SegmentHeaderResult =
  | { readonly kind: 'header'; readonly header: StoredSegmentHeader }
  | { readonly kind: 'invalid'; readonly reason: string };

export function segmentName(number: number): string {
  return `${String(number).padStart(16, '0')}.log`;
}

/** Null for what is not a segment's name. */
export function segmentNumber(name: string): number | null {
  return /^\d{16}\.log$/.test(name) ? Number(name.slice(0, 16)) : null;
}

export function encodeSegmentHeader({ number, firstSequence }: SegmentHeader): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  magic.copy(header);
  header.writeUInt32LE(formatVersion, 8);
  header.writeBigUInt64LE(BigInt(number), 12);
  header.writeBigUInt64LE(BigInt(firstSequence), 20);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return header;
}

export function decodeSegmentHeader(segment: Buffer): SegmentHeaderResult {
  if (segment.length < segmentHeaderBytes || !segment.subarray(0, 8).equals(magic)) {
    return { kind: 'invalid', reason: 'the file is not a segment of a log' };
  }
  if (segment.readUInt32LE(28) !== crc32(segment.subarray(0, 28))) {
    return { kind: 'invalid', reason: "the checksum of the segment's header does not match" };
  }
  const version = segment.readUInt32LE(8);
  if (version !== formatVersion && version !== versionWithoutIdentity) {
    const known = `${String(versionWithoutIdentity)} or ${String(formatVersion)}`;
    return { kind: 'invalid', reason: `the segment is of version ${String(version)}, not ${known}` };
  }
  const number = Number(segment.readBigUInt64LE(12));
  const firstSequence = Number(segment.readBigUInt64LE(20));
  const hasIdentity = version !== versionWithoutIdentity;
  return { kind: 'header', header: { number, firstSequence, hasIdentity } };
}

const zeros = Buffer.alloc(1024 * 1024);

/** Makes a file of zeros of the size, on disk. It is no segment before it has a header and a segment's name. */
export async function preallocate(disk: Disk, path: string, sizeBytes: number): Promise<void> {
  const file = await disk.create(path);
  try {
    await fillWithZeros(file, 0, sizeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function fillWithZeros(
  file: { write(bytes: Uint8Array, position: number): Promise<void> },
  start: number,
  end: number,
): Promise<void> {
  for (let at = start; at < end; at += zeros.length) {
    await file.write(zeros.subarray(0, Math.min(zeros.length, end - at)), at);
  }
}

/** Turns a preallocated file into the segment. Its header is on disk before its name is. */
export async function adoptSegment(
  disk: Disk,
  directory: string,
  spare: string,
  header: SegmentHeader,
): Promise<string> {
  const file = await disk.open(spare);
  try {
    await file.write(encodeSegmentHeader(header), 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  const path = join(directory, segmentName(header.number));
  await disk.rename(spare, path);
  return path;
}
