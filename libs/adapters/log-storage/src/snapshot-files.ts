/**
 * Snapshots, each a file of its own that gets its name when all of it is on disk. It is written and read chunk by chunk, in whatever
 * order the chunks come, and each has checksums of its own:
 *
 *   magic 8 bytes | version u32 | index u64 | term u64 | checksum of these u32
 *   | per chunk: number u32 | length u32 | checksum of its bytes u32 | checksum of these 12 bytes u32 | bytes
 *   | number of chunks u32 | configuration: length u32, bytes | checksum of these u32 | length of all from the number of chunks on u32
 *
 * Versions 1 and 2 are still read (old-snapshot.ts).
 */
import { crc32 } from 'node:zlib';
import { join } from 'node:path';
import type { Disk, DiskFile, DiskReader } from './disk.js';
import { oldSnapshotVersions, readOldSnapshot } from './old-snapshot.js';
import { corruptLog } from './storage-errors.js';
import type { LogPoint } from './types.js';

const magic = Buffer.from('RINGSNAP', 'latin1');
const headerBytes = 32;
const chunkHeaderBytes = 16;
/** Of the end, besides the configuration. */
const endBytes = 16;
const formatVersion = 3;

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

/** A snapshot on its way to the disk. One call at a time. */
export class SnapshotWriter {
  readonly point: LogPoint;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #partial: string;
  readonly #numbers = new Set<number>();
  #file: DiskFile | null = null;
  #position = 0;
  #isSyncTried = false;
  #isFinished = false;
  #isDiscarded = false;

  /** `mark` tells it from others of the same point. */
  constructor(disk: Disk, directory: string, { point, mark }: { point: LogPoint; mark: number }) {
    this.point = point;
    this.#disk = disk;
    this.#directory = directory;
    this.#partial = join(directory, `${snapshotName(point)}.${String(mark)}.partial`);
  }

  get sizeBytes(): number {
    return this.#position;
  }
  get isFinished(): boolean {
    return this.#isFinished;
  }
  get chunkCount(): number {
    return this.#numbers.size;
  }

  has(number: number): boolean {
    return this.#numbers.has(number);
  }

  /** In any order; not yet on disk for certain when it resolves. */
  async add(number: number, bytes: Uint8Array): Promise<void> {
    if (this.#isDiscarded) throw new Error('what is discarded is never a snapshot');
    this.#file ??= await this.#disk.create(this.#partial);
    const file = this.#file;
    if (this.#position === 0) await file.write(encodeHeader(this.point), 0);
    const start = Math.max(this.#position, headerBytes);
    await file.write(encodeChunkHeader(number, bytes), start);
    await file.write(bytes, start + chunkHeaderBytes);
    // Only now: what was written of it where there was no room is written over.
    this.#position = start + chunkHeaderBytes + bytes.byteLength;
    this.#numbers.add(number);
  }

  /** Durable when it resolves, under its name. May be tried again when there was no room for its end. */
  async finish(configuration: Uint8Array): Promise<void> {
    if (this.#isSyncTried) throw new Error('a sync that failed is not tried again');
    if (this.#file === null) await this.add(0, new Uint8Array());
    const file = this.#file!;
    await file.write(encodeEnd(this.chunkCount, configuration), this.#position);
    this.#isSyncTried = true;
    await file.sync();
    await file.close();
    this.#file = null;
    await this.#disk.rename(this.#partial, join(this.#directory, snapshotName(this.point)));
    this.#isFinished = true;
  }

  async discard(): Promise<void> {
    this.#isDiscarded = true;
    await this.#file?.close();
    this.#file = null;
    await this.#disk.remove(this.#partial);
  }
}

/** From another member, whose chunks are all here: the log before it is void. */
export interface ReceivedSnapshot {
  readonly writer: SnapshotWriter;
  readonly configuration: Uint8Array;
}

export interface StoredChunk {
  readonly byteLength: number;
  read(): Promise<Uint8Array>;
}

/** Open, so that it can be read also when a newer one has taken its place. */
export interface SnapshotFile extends LogPoint {
  readonly configuration: Uint8Array;
  /** In their order. */
  readonly chunks: readonly StoredChunk[];
  close(): Promise<void>;
}

export async function openSnapshot(disk: Disk, directory: string, point: LogPoint): Promise<SnapshotFile> {
  const path = join(directory, snapshotName(point));
  const reader = await disk.openToRead(path);
  try {
    const header = await reader.read(0, Math.min(headerBytes, reader.sizeBytes));
    const version = versionIn(header, path);
    if (oldSnapshotVersions.includes(version)) return await openOld(reader, path, point);
    checkHeader(header, path, point);
    return { ...(await readOutline(reader, path, point)), close: () => reader.close() };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** As a whole: there is at most one of it, until the next snapshot. */
async function openOld(reader: DiskReader, path: string, point: LogPoint): Promise<SnapshotFile> {
  const { configuration, chunks } = readOldSnapshot(await reader.read(0, reader.sizeBytes), path, point);
  await reader.close();
  return {
    ...point,
    configuration,
    chunks: chunks.map((bytes) => ({ byteLength: bytes.byteLength, read: () => Promise.resolve(bytes) })),
    close: () => Promise.resolve(),
  };
}

function versionIn(header: Buffer, path: string): number {
  if (header.length < headerBytes || !header.subarray(0, 8).equals(magic)) {
    throw corruptLog({ file: path, offset: 0, reason: 'the file is not a snapshot' });
  }
  return header.readUInt32LE(8);
}

function checkHeader(header: Buffer, path: string, point: LogPoint): void {
  const corrupt = (reason: string): Error => corruptLog({ file: path, offset: 0, reason });
  if (header.readUInt32LE(28) !== crc32(header.subarray(0, 28))) {
    throw corrupt("the checksum of the snapshot's header does not match");
  }
  const version = header.readUInt32LE(8);
  if (version !== formatVersion) throw corrupt(`the snapshot is of version ${String(version)}`);
  const index = Number(header.readBigUInt64LE(12));
  const term = Number(header.readBigUInt64LE(20));
  if (index !== point.index || term !== point.term)
    throw corrupt('the snapshot is another than its name says');
}

/** Where its chunks are. What is in them is read, and checked, one by one. */
async function readOutline(
  reader: DiskReader,
  path: string,
  point: LogPoint,
): Promise<Omit<SnapshotFile, 'close'>> {
  const { start: end, chunkCount, configuration } = await readEnd(reader, path);
  const chunks: StoredChunk[] = [];
  let at = headerBytes;
  while (at < end) {
    const header = await reader.read(at, Math.min(chunkHeaderBytes, end - at));
    const corrupt = (reason: string): Error => corruptLog({ file: path, offset: at, reason });
    if (header.length < chunkHeaderBytes || header.readUInt32LE(12) !== crc32(header.subarray(0, 12))) {
      throw corrupt('a chunk of the snapshot has no valid header');
    }
    const [number, length] = [header.readUInt32LE(0), header.readUInt32LE(4)];
    const start = at + chunkHeaderBytes;
    if (number >= chunkCount || chunks[number] !== undefined || start + length > end) {
      throw corrupt('a chunk of the snapshot is out of place');
    }
    chunks[number] = chunkAt(reader, path, { start, length, checksum: header.readUInt32LE(8) });
    at = start + length;
  }
  if (chunks.length !== chunkCount || chunks.includes(undefined as never)) {
    throw corruptLog({ file: path, offset: end, reason: 'a chunk of the snapshot is missing' });
  }
  return { ...point, configuration, chunks };
}

interface End {
  /** Where the chunks end. */
  readonly start: number;
  readonly chunkCount: number;
  readonly configuration: Uint8Array;
}

async function readEnd(reader: DiskReader, path: string): Promise<End> {
  const { sizeBytes } = reader;
  const corrupt = (): Error =>
    corruptLog({ file: path, offset: sizeBytes, reason: 'the end of the snapshot is missing or damaged' });
  if (sizeBytes < headerBytes + endBytes) throw corrupt();
  const length = (await reader.read(sizeBytes - 4, 4)).readUInt32LE(0);
  const start = sizeBytes - length;
  if (length < endBytes || start < headerBytes) throw corrupt();
  const end = await reader.read(start, length);
  const checked = end.subarray(0, length - 8);
  if (end.readUInt32LE(length - 8) !== crc32(checked) || end.readUInt32LE(4) !== length - endBytes)
    throw corrupt();
  return { start, chunkCount: end.readUInt32LE(0), configuration: new Uint8Array(checked.subarray(8)) };
}

interface ChunkPlace {
  readonly start: number;
  readonly length: number;
  readonly checksum: number;
}

function chunkAt(reader: DiskReader, path: string, { start, length, checksum }: ChunkPlace): StoredChunk {
  return {
    byteLength: length,
    read: async () => {
      const bytes = await reader.read(start, length);
      if (bytes.length !== length || crc32(bytes) !== checksum) {
        const reason = 'the checksum of a chunk of the snapshot does not match';
        throw corruptLog({ file: path, offset: start, reason });
      }
      return bytes;
    },
  };
}

function encodeHeader({ index, term }: LogPoint): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(formatVersion, 8);
  header.writeBigUInt64LE(BigInt(index), 12);
  header.writeBigUInt64LE(BigInt(term), 20);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return header;
}

function encodeChunkHeader(number: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(chunkHeaderBytes);
  header.writeUInt32LE(number, 0);
  header.writeUInt32LE(bytes.byteLength, 4);
  header.writeUInt32LE(crc32(bytes), 8);
  header.writeUInt32LE(crc32(header.subarray(0, 12)), 12);
  return header;
}

function encodeEnd(chunkCount: number, configuration: Uint8Array): Buffer {
  const length = endBytes + configuration.byteLength;
  const end = Buffer.alloc(length);
  end.writeUInt32LE(chunkCount, 0);
  end.writeUInt32LE(configuration.byteLength, 4);
  end.set(configuration, 8);
  end.writeUInt32LE(crc32(end.subarray(0, length - 8)), length - 8);
  end.writeUInt32LE(length, length - 4);
  return end;
}
