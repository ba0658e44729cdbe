import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Disk, type DiskFile, nodeDisk } from './disk.js';
import { type LogStorage, openLogStorage, type OpenedLog } from './log-storage.js';
import type { LogBatch } from './batch-codec.js';
import type { LogSnapshot } from './types.js';

const segmentSizeBytes = 4096;

/** A real disk of which so many bytes may be used, of files' sizes. */
class SmallDisk implements Disk {
  readonly #sizes = new Map<string, number>();

  constructor(public capacityBytes: number) {}

  open = async (path: string): Promise<DiskFile> => this.#wrap(path, await nodeDisk.open(path));
  read = nodeDisk.read;
  openToRead = nodeDisk.openToRead;
  list = nodeDisk.list;
  makeDirectory = nodeDisk.makeDirectory;
  syncDirectory = nodeDisk.syncDirectory;

  async create(path: string): Promise<DiskFile> {
    this.#sizes.set(path, 0);
    return this.#wrap(path, await nodeDisk.create(path));
  }
  async rename(from: string, to: string): Promise<void> {
    await nodeDisk.rename(from, to);
    this.#sizes.set(to, this.#sizes.get(from) ?? 0);
    this.#sizes.delete(from);
  }
  async remove(path: string): Promise<void> {
    await nodeDisk.remove(path);
    this.#sizes.delete(path);
  }
  freeBytes = (): Promise<number> => Promise.resolve(this.capacityBytes - this.#usedBytes);

  get #usedBytes(): number {
    return [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  #wrap(path: string, file: DiskFile): DiskFile {
    return {
      write: async (bytes, position) => {
        const size = this.#sizes.get(path) ?? statSync(path).size;
        const grown = Math.max(size, position + bytes.byteLength);
        if (grown > size && this.#usedBytes + grown - size > this.capacityBytes) {
          throw Object.assign(new Error('ENOSPC: no room'), { code: 'ENOSPC' });
        }
        this.#sizes.set(path, grown);
        await file.write(bytes, position);
      },
      datasync: () => file.datasync(),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  }
}

let directory: string;
let storage: LogStorage | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'full-disk-'));
});
afterEach(async () => {
  await storage?.close();
  storage = null;
  rmSync(directory, { recursive: true });
});

async function reopen(disk: Disk = nodeDisk): Promise<OpenedLog> {
  await storage?.close();
  const log = await openLogStorage({ directory, segmentSizeBytes, disk, lookEveryMs: 5 });
  storage = log.storage;
  return log;
}

const batch = (term: number, ...indexes: number[]): LogBatch => ({
  hardState: { term, vote: 2, commit: 0 },
  entries: indexes.map((index) => ({ index, term, kind: 1, data: new Uint8Array(300) })),
  snapshot: null,
});
const snapshot = (index: number, bytes: number): LogSnapshot => ({
  ...{ index, term: 1, configuration: new Uint8Array() },
  chunks: [new Uint8Array(bytes)],
});
const room = (log: LogStorage): Promise<void> =>
  new Promise((resolve) => {
    log.onRoom((hasRoom) => {
      if (hasRoom) resolve();
    });
  });
/** As many entries as it takes, one by one. */
async function fill(log: LogStorage): Promise<number> {
  for (let index = 1; ; index += 1) if ((await log.append(batch(1, index))) === 'noRoom') return index - 1;
}

describe('a full disk', () => {
  it('takes no entries, but votes, of which none is lost; and all again when there is room', async () => {
    const disk = new SmallDisk(2 * segmentSizeBytes);
    const { storage: log } = await reopen(disk);
    const told: boolean[] = [];
    log.onRoom((hasRoom) => told.push(hasRoom));
    const taken = await fill(log);
    expect(taken).toBeGreaterThan(15);
    expect(log.hasRoom).toBe(false);
    expect(await log.append(batch(2))).toBe('written');
    expect(await log.append(batch(2, taken + 1))).toBe('noRoom');
    const hasRoom = room(log);
    disk.capacityBytes += 2 * 1024 * 1024;
    await hasRoom;
    expect(told).toEqual([false, true]);
    expect(await log.append(batch(2, taken + 1))).toBe('written');
    const { recovered } = await reopen();
    expect(recovered.hardState.term).toBe(2);
    expect(recovered.entries.map(({ index }) => index)).toEqual(
      Array.from({ length: taken + 1 }, (_, i) => i + 1),
    );
  });

  it('is found so at a start, and takes votes then', async () => {
    const { storage: log } = await reopen(new SmallDisk(segmentSizeBytes));
    const taken = await fill(log);
    const { storage: again, recovered } = await reopen(new SmallDisk(0));
    expect(recovered.entries).toHaveLength(taken);
    expect(await again.append(batch(9, taken + 1))).toBe('noRoom');
    expect(await again.append(batch(9))).toBe('written');
    expect((await reopen()).recovered.hardState.term).toBe(9);
  });

  it('takes not even a vote when the reserve is used up, until there is room', async () => {
    const disk = new SmallDisk(segmentSizeBytes);
    const { storage: log } = await reopen(disk);
    await fill(log);
    let term = 2;
    while ((await log.append(batch(term))) === 'written') term += 1;
    expect(term).toBeGreaterThan(5);
    const hasRoom = room(log);
    disk.capacityBytes += 2 * 1024 * 1024;
    await hasRoom;
    expect(await log.append(batch(term))).toBe('written');
    expect((await reopen()).recovered.hardState.term).toBe(term);
  });

  it('takes no snapshot, leaves nothing of it behind, and has room when it would fit', async () => {
    const disk = new SmallDisk(8 * segmentSizeBytes);
    const { storage: log } = await reopen(disk);
    await log.append(batch(1, 1, 2));
    const sizeBytes = 100 * segmentSizeBytes;
    expect(await log.saveSnapshot(snapshot(2, sizeBytes))).toBe('noRoom');
    expect(log.hasRoom).toBe(false);
    expect(readdirSync(directory).filter((name) => name.includes('snapshot'))).toEqual([]);
    const hasRoom = room(log);
    disk.capacityBytes += sizeBytes + 1024 * 1024;
    await hasRoom;
    expect(await log.saveSnapshot(snapshot(2, sizeBytes))).toBe('written');
    expect((await reopen()).recovered.snapshot.index).toBe(2);
  });

  it('keeps nobody from going on behind a snapshot whose record a crash prevented', async () => {
    const { storage: log } = await reopen(new SmallDisk(segmentSizeBytes));
    const index = (await fill(log)) + 10;
    // Nothing fits any more but into the reserve.
    for (let term = 1; term <= 4; term += 1) expect(await log.append(batch(term))).toBe('written');
    const { storage: withRoom } = await reopen();
    expect(await withRoom.saveSnapshot(snapshot(index, 10))).toBe('written');
    const { recovered } = await reopen(new SmallDisk(0));
    expect(recovered).toMatchObject({ snapshot: { index }, entries: [] });
    const { storage: later } = await reopen();
    expect(await later.append(batch(2, index + 1))).toBe('written');
    expect((await reopen()).recovered).toMatchObject({
      snapshot: { index },
      entries: [{ index: index + 1 }],
    });
  });

  it('takes what is larger than a segment once that fits', async () => {
    const disk = new SmallDisk(4 * segmentSizeBytes);
    const { storage: log } = await reopen(disk);
    const large = batch(1, ...Array.from({ length: 100 }, (_, i) => i + 1));
    expect(await log.append(large)).toBe('noRoom');
    const hasRoom = room(log);
    disk.capacityBytes += 2 * 1024 * 1024;
    await hasRoom;
    expect(await log.append(large)).toBe('written');
    expect(await log.append(batch(1, 101))).toBe('written');
    expect((await reopen()).recovered.entries).toHaveLength(101);
  });

  it('is no place to begin a log', async () => {
    await expect(reopen(new SmallDisk(100))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('the disk is full'),
    });
  });
});
