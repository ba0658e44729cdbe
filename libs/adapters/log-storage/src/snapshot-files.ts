/**
 * Snapshots, each a file of its own that gets its name when all of it is on disk:
 *
 *   magic 8 bytes | version u32 | index u64 | term u64 | number of chunks u32
 *   | configuration: length u32, bytes (since version 2) | then per chunk: length u32, bytes
 *   | then the checksum of all before it, u32
 */
import { crc32 } from 'node:zlib';
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { corruptLog } from './storage-errors.js';
import type { LogPoint, LogSnapshot } from './types.js';

const magic = Buffer.from('RINGSNAP', 'latin1');
const headerBytes = 32;
const formatVersion = 2;
const versionWithoutConfiguration = 1;

export function snapshotName({ index, term }: LogPoint): string {
  return `${String(index).padStart(16, '0')}-${String(term)}.snapshot`;
}

export function snapshotPoint(name: string): LogPoint | null {
  const match = /^(\d{16})-(\d+)\.snapshot$/.exec(name);
  return match === null ? null : { index: Number(match[1]), term: Number(match[2]) };
}

/** Oldest first. */
export async function listSnapshots(disk: Disk, directory: string): Promise<LogPoint[]> {
  const points = (await disk.list(directory)).map(snapshotPoint).filter((point) => point !== null);
  return points.sort((a, b) => a.index - b.index || a.term - b.term);
}

export async function writeSnapshot(disk: Disk, directory: string, snapshot: LogSnapshot): Promise<void> {
  const path = join(directory, snapshotName(snapshot));
  const partial = `${path}.partial`;
  const file = await disk.create(partial);
  let isWritten = false;
  try {
    let position = 0;
    let checksum = 0;
    for (const bytes of encoded(snapshot)) {
      await file.write(bytes, position);
      position += bytes.byteLength;
      checksum = crc32(bytes, checksum);
    }
    await file.write(unsigned(checksum), position);
    await file.sync();
    isWritten = true;
  } finally {
    await file.close();
    // It would keep the room that it lacked.
    if (!isWritten) await disk.remove(partial);
  }
  await disk.rename(partial, path);
}

export async function readSnapshot(disk: Disk, directory: string, point: LogPoint): Promise<LogSnapshot> {
  const path = join(directory, snapshotName(point));
  const bytes = await disk.read(path);
  const corrupt = (reason: string): Error => corruptLog({ file: path, offset: 0, reason });
  const end = bytes.length - 4;
  if (end < headerBytes || !bytes.subarray(0, 8).equals(magic)) throw corrupt('the file is not a snapshot');
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) {
    throw corrupt('the checksum of the snapshot does not match');
  }
  const version = bytes.readUInt32LE(8);
  if (version !== formatVersion && version !== versionWithoutConfiguration) {
    throw corrupt('the snapshot is of another version');
  }
  const index = Number(bytes.readBigUInt64LE(12));
  const term = Number(bytes.readBigUInt64LE(20));
  if (index !== point.index || term !== point.term)
    throw corrupt('the snapshot is another than its name says');
  const pieces = readPieces(bytes, end);
  const configuration = version === formatVersion ? pieces.shift()! : new Uint8Array();
  return { index, term, configuration, chunks: pieces };
}

function* encoded({ index, term, configuration, chunks }: LogSnapshot): Iterable<Uint8Array> {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(formatVersion, 8);
  header.writeBigUInt64LE(BigInt(index), 12);
  header.writeBigUInt64LE(BigInt(term), 20);
  header.writeUInt32LE(chunks.length, 28);
  yield header;
  for (const piece of [configuration, ...chunks]) {
    yield unsigned(piece.byteLength);
    yield piece;
  }
}

/** The checksum over all matched, so that the lengths are what was written. */
function readPieces(bytes: Buffer, end: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = headerBytes;
  while (at < end) {
    const length = bytes.readUInt32LE(at);
    pieces.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return pieces;
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
