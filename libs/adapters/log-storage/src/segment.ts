/**
 * A segment is a file of records after a header, filled with zeros to its size when it is made, so that a sync of what is
 * written into it later moves no metadata. Its name and its header carry its number; numbers have no gaps.
 *
 *   magic 8 bytes | version u32 | segment number u64 | sequence of its first record u64 | size of the file u64
 *   | checksum of these u32 | whether another segment follows u32 | whose it is u32
 *
 * The size is on disk before the segment has its name: no crash makes it shorter. Whose it is (`ownerOf`) is 0 until there is a founded
 * group, and in what was written before segments said it.
 *
 * Version 1 was written before logs had identities; a segment of version 2 says that there is one beside it (identity-file.ts).
 * Neither says its size, nor whether another follows: the checksum is where the size is now, and records begin after it.
 */
import { crc32 } from 'node:zlib';
import { join } from 'node:path';
import type { Disk } from './disk.js';

export const segmentHeaderBytes = 48;
const formatVersion = 3;
const versionWithoutIdentity = 1;
const versionWithoutSize = 2;
const headerBytesWithoutSize = 32;
const magic = Buffer.from('RINGLOG\n', 'latin1');

const sizeAt = 28;
/** What the checksum is of, and where it is. */
const checkedBytes = 36;
const followedAt = 40;
const followed = 0x4c_4c_4f_46;
const ownerAt = 44;
/** Of an owner that is not known. */
export const nobody = 0;

export interface SegmentHeader {
  readonly number: number;
  readonly firstSequence: number;
  readonly sizeBytes: number;
  readonly owner: number;
}

/** As it was read. */
export interface StoredSegmentHeader {
  readonly number: number;
  readonly firstSequence: number;
  /** Nothing is written into a log of this format before its identity is. */
  readonly hasIdentity: boolean;
  /** With which the file was made; null in versions that do not say it. */
  readonly sizeBytes: number | null;
  /** Whether it says that the next segment was made; null in versions that do not. */
  readonly isFollowed: boolean | null;
  /** Null in versions that do not say it. */
  readonly owner: number | null;
  /** Where the first record goes. */
  readonly end: number;
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

export function encodeSegmentHeader({ number, firstSequence, sizeBytes, owner }: SegmentHeader): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  magic.copy(header);
  header.writeUInt32LE(formatVersion, 8);
  header.writeBigUInt64LE(BigInt(number), 12);
  header.writeBigUInt64LE(BigInt(firstSequence), 20);
  header.writeBigUInt64LE(BigInt(sizeBytes), sizeAt);
  header.writeUInt32LE(crc32(header.subarray(0, checkedBytes)), checkedBytes);
  header.writeUInt32LE(owner, ownerAt);
  return header;
}

export function decodeSegmentHeader(segment: Buffer): SegmentHeaderResult {
  const invalid = (reason: string): SegmentHeaderResult => ({ kind: 'invalid', reason });
  if (segment.length < headerBytesWithoutSize || !segment.subarray(0, 8).equals(magic))
    return invalid('the file is not a segment of a log');
  const version = segment.readUInt32LE(8);
  if (version < versionWithoutIdentity || version > formatVersion) {
    const known = `${String(versionWithoutIdentity)} to ${String(formatVersion)}`;
    return invalid(`the segment is of version ${String(version)}, not ${known}`);
  }
  return version > versionWithoutSize ? decodeHeader(segment) : decodeOldHeader(segment, version);
}

function decodeHeader(segment: Buffer): SegmentHeaderResult {
  if (segment.length < segmentHeaderBytes)
    return { kind: 'invalid', reason: "the file ends within the segment's header" };
  const mark = segment.readUInt32LE(followedAt);
  if (!isChecked(segment, checkedBytes) || (mark !== 0 && mark !== followed)) return damagedHeader;
  const sizeBytes = Number(segment.readBigUInt64LE(sizeAt));
  const isFollowed = mark === followed;
  const said = { sizeBytes, isFollowed, owner: segment.readUInt32LE(ownerAt) };
  const header = { ...placeOf(segment), hasIdentity: true, ...said, end: segmentHeaderBytes };
  return { kind: 'header', header };
}

function decodeOldHeader(segment: Buffer, version: number): SegmentHeaderResult {
  if (!isChecked(segment, sizeAt)) return damagedHeader;
  const hasIdentity = version !== versionWithoutIdentity;
  const unsaid = { sizeBytes: null, isFollowed: null, owner: null };
  return {
    kind: 'header',
    header: { ...placeOf(segment), hasIdentity, ...unsaid, end: headerBytesWithoutSize },
  };
}

const damagedHeader: SegmentHeaderResult = {
  kind: 'invalid',
  reason: "the segment's header is damaged",
};

/** Whether the checksum at `end` is that of all before it. */
function isChecked(segment: Buffer, end: number): boolean {
  return segment.readUInt32LE(end) === crc32(segment.subarray(0, end));
}

function placeOf(segment: Buffer): { readonly number: number; readonly firstSequence: number } {
  return {
    number: Number(segment.readBigUInt64LE(12)),
    firstSequence: Number(segment.readBigUInt64LE(20)),
  };
}

/**
 * Before anything is written into the next segment, and after that has its name: so a newest one that is lost is missed, and
 * none that a crash has kept from being made.
 */
export function markFollowed(disk: Disk, path: string): Promise<void> {
  return writeMark(disk, path, followedAt, followed);
}

/** Of what was written before it was known. */
export function markOwner(disk: Disk, path: string, owner: number): Promise<void> {
  return writeMark(disk, path, ownerAt, owner);
}

async function writeMark(disk: Disk, path: string, at: number, value: number): Promise<void> {
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(value);
  const file = await disk.open(path);
  try {
    await file.write(mark, at);
    await file.datasync();
  } finally {
    await file.close();
  }
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
