import { readdirSync, statSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { batchOf, segmentSizeBytes, snapshot, testLog } from '../test/log.fixtures.js';
import { type Disk, type DiskFile, nodeDisk } from './disk.js';
import type { LogStorage } from './log-storage.js';
import type { OpenedLog } from './open-log.js';
import type { LogSnapshot } from './types.js';

const log = testLog();

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

/** It looks for room all the time. */
const reopen = (disk: Disk = nodeDisk): Promise<OpenedLog> => log.reopen({ disk, lookEveryMs: 5 });
const large = (index: number, bytes: number): LogSnapshot => ({
  ...snapshot(index, 1),
  chunks: [new Uint8Array(bytes)],
});
const room = (storage: LogStorage): Promise<void> =>
  new Promise((resolve) => {
    storage.onRoom((hasRoom) => {
      if (hasRoom) resolve();
    });
  });
/** As many entries as it takes, one by one. */
async function fill(storage: LogStorage): Promise<number> {
  for (let index = 1; ; index += 1)
    if ((await storage.append(batchOf(1, index))) === 'noRoom') return index - 1;
}

describe('a full disk', () => {
  it('takes no entries, but votes, of which none is lost; and all again when there is room', async () => {
    const disk = new SmallDisk(2 * segmentSizeBytes);
    const { storage } = await reopen(disk);
    const told: boolean[] = [];
    storage.onRoom((hasRoom) => told.push(hasRoom));
    const taken = await fill(storage);
    expect(taken).toBeGreaterThan(15);
    expect(storage.hasRoom).toBe(false);
    expect(await storage.append(batchOf(2))).toBe('written');
    expect(await storage.append(batchOf(2, taken + 1))).toBe('noRoom');
    const hasRoom = room(storage);
    disk.capacityBytes += 2 * 1024 * 1024;
    await hasRoom;
    expect(told).toEqual([false, true]);
    expect(await storage.append(batchOf(2, taken + 1))).toBe('written');
    const { recovered } = await reopen();
    expect(recovered.hardState.term).toBe(2);
    expect(recovered.entries.map(({ index }) => index)).toEqual(
      Array.from({ length: taken + 1 }, (_, i) => i + 1),
    );
  });

  it('is found so at a start, and takes votes then', async () => {
    const { storage } = await reopen(new SmallDisk(segmentSizeBytes));
    const taken = await fill(storage);
    const { storage: again, recovered } = await reopen(new SmallDisk(0));
    expect(recovered.entries).toHaveLength(taken);
    expect(await again.append(batchOf(9, taken + 1))).toBe('noRoom');
    expect(await again.append(batchOf(9))).toBe('written');
    expect((await reopen()).recovered.hardState.term).toBe(9);
  });

  it('takes not even a vote when the reserve is used up, until there is room', async () => {
    const disk = new SmallDisk(segmentSizeBytes);
    const { storage } = await reopen(disk);
    await fill(storage);
    let term = 2;
    while ((await storage.append(batchOf(term))) === 'written') term += 1;
    expect(term).toBeGreaterThan(5);
    const hasRoom = room(storage);
    disk.capacityBytes += 2 * 1024 * 1024;
    await hasRoom;
    expect(await storage.append(batchOf(term))).toBe('written');
    expect((await reopen()).recovered.hardState.term).toBe(term);
  });

  it('takes no snapshot, leaves nothing of it behind, and has room when it would fit', async () => {
    const disk = new SmallDisk(8 * segmentSizeBytes);
    const { storage } = await reopen(disk);
    await storage.append(batchOf(1, 1, 2));
    const sizeBytes = 100 * segmentSizeBytes;
    expect(await storage.saveSnapshot(large(2, sizeBytes))).toBe('noRoom');
    expect(storage.hasRoom).toBe(false);
    expect(readdirSync(log.directory).filter((name) => name.includes('snapshot'))).toEqual([]);
    const hasRoom = room(storage);
    disk.capacityBytes += sizeBytes + 1024 * 1024;
    await hasRoom;
    expect(await storage.saveSnapshot(large(2, sizeBytes))).toBe('written');
    expect((await reopen()).recovered.snapshot.index).toBe(2);
  });

  it('keeps nobody from going on behind a snapshot whose record a crash prevented', async () => {
    const { storage } = await reopen(new SmallDisk(segmentSizeBytes));
    const index = (await fill(storage)) + 10;
    // Nothing fits any more but into the reserve.
    for (let term = 1; term <= 4; term += 1) expect(await storage.append(batchOf(term))).toBe('written');
    const { storage: withRoom } = await reopen();
    expect(await withRoom.saveSnapshot(snapshot(index, 1))).toBe('written');
    const { recovered } = await reopen(new SmallDisk(0));
    expect(recovered).toMatchObject({ snapshot: { index }, entries: [] });
    const { storage: later } = await reopen();
    expect(await later.append(batchOf(2, index + 1))).toBe('written');
    expect((await reopen()).recovered).toMatchObject({
      snapshot: { index },
      entries: [{ index: index + 1 }],
    });
  });

  it('takes what is larger than a segment once that fits', async () => {
    const disk = new SmallDisk(4 * segmentSizeBytes);
    const { storage } = await reopen(disk);
    const many = batchOf(1, ...Array.from({ length: 100 }, (_, i) => i + 1));
    expect(await storage.append(many)).toBe('noRoom');
    const hasRoom = room(storage);
    disk.capacityBytes += 2 * 1024 * 1024;
    await hasRoom;
    expect(await storage.append(many)).toBe('written');
    expect(await storage.append(batchOf(1, 101))).toBe('written');
    expect((await reopen()).recovered.entries).toHaveLength(101);
  });

  it('is no place to begin a log', async () => {
    await expect(reopen(new SmallDisk(100))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('the disk is full'),
    });
  });
});
