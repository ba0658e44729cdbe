/**
 * Snapshots as they were written before they were read chunk by chunk:
 *
 *   magic 8 bytes | version u32 | index u64 | term u64 | number of chunks u32
 *   | configuration: length u32, bytes (in version 2) | then per chunk: length u32, bytes
 *   | then the checksum of all before it, u32
 */
import { crc32 } from 'node:zlib';
import { corruptLog } from './storage-errors.js';
import type { LogPoint } from './types.js';

const headerBytes = 32;
const versionWithConfiguration = 2;
export const oldSnapshotVersions: readonly number[] = [1, versionWithConfiguration];

export interface OldSnapshot {
  readonly configuration: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

/** Of a file that begins as one of these does. */
export function readOldSnapshot(bytes: Buffer, path: string, point: LogPoint): OldSnapshot {
  const corrupt = (reason: string): Error => corruptLog({ file: path, offset: 0, reason });
  const end = bytes.length - 4;
  if (end < headerBytes || crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) {
    throw corrupt('the checksum of the snapshot does not match');
  }
  const index = Number(bytes.readBigUInt64LE(12));
  const term = Number(bytes.readBigUInt64LE(20));
  if (index !== point.index || term !== point.term)
    throw corrupt('the snapshot is another than its name says');
  const pieces = readPieces(bytes, end);
  const hasConfiguration = bytes.readUInt32LE(8) === versionWithConfiguration;
  const configuration = hasConfiguration ? pieces.shift() : undefined;
  return { configuration: configuration ?? new Uint8Array(), chunks: pieces };
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
