/** A log that was read from memory of the kernel's which the disk does not have yet, or never got. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { batch, entry, testLog } from '../test/log.fixtures.js';
import { type Disk, type DiskFile, nodeDisk } from './disk.js';
import type { RecoveredLog } from './types.js';

const log = testLog();

/** `killed`: the process ends before the disk has it. `failed`: the disk has refused it, and the kernel keeps it as if it had not. */
type Sync = 'done' | 'killed' | 'failed';

/** Files are the kernel's memory; what the disk has of them is here. */
class Platter implements Disk {
  sync: Sync = 'done';
  readonly #written = new Map<string, Buffer>();
  readonly #dirty = new Map<string, { readonly bytes: Buffer; readonly position: number }[]>();

  read = nodeDisk.read;
  openToRead = nodeDisk.openToRead;
  list = nodeDisk.list;
  makeDirectory = nodeDisk.makeDirectory;
  syncDirectory = nodeDisk.syncDirectory;
  freeBytes = nodeDisk.freeBytes;

  async create(path: string): Promise<DiskFile> {
    this.#written.set(path, Buffer.alloc(0));
    return this.#wrap(path, await nodeDisk.create(path));
  }
  async open(path: string): Promise<DiskFile> {
    return this.#wrap(path, await nodeDisk.open(path));
  }
  async rename(from: string, to: string): Promise<void> {
    await nodeDisk.rename(from, to);
    this.#written.set(to, this.#written.get(from)!);
    this.#written.delete(from);
  }
  async remove(path: string): Promise<void> {
    await nodeDisk.remove(path);
    this.#written.delete(path);
  }

  losePower(): void {
    this.#dirty.clear();
    for (const [path, bytes] of this.#written) writeFileSync(path, bytes);
  }

  #wrap(path: string, file: DiskFile): DiskFile {
    return {
      write: async (bytes, position) => {
        await file.write(bytes, position);
        this.#dirty.set(path, [...(this.#dirty.get(path) ?? []), { bytes: Buffer.from(bytes), position }]);
      },
      datasync: () => this.#syncFile(path),
      sync: () => this.#syncFile(path),
      close: () => file.close(),
    };
  }

  async #syncFile(path: string): Promise<void> {
    if (this.sync === 'killed') throw new Error('the process was killed');
    const dirty = this.#dirty.get(path) ?? [];
    this.#dirty.delete(path);
    if (this.sync === 'failed') throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    const before = this.#written.get(path) ?? Buffer.alloc(0);
    const size = Math.max(before.length, ...dirty.map(({ bytes, position }) => position + bytes.length));
    const after = Buffer.alloc(size);
    before.copy(after);
    for (const { bytes, position } of dirty) bytes.copy(after, position);
    this.#written.set(path, after);
    await Promise.resolve();
  }
}

async function start(disk: Disk): Promise<RecoveredLog> {
  const { storage, recovered } = await log.reopen({ disk });
  append = (index) =>
    storage.append({
      ...batch([entry(index, index, 'x'.repeat(600))]),
      hardState: { term: index, vote: index, commit: 0 },
    });
  return recovered;
}
/** To the log that was started last. */
let append: (index: number) => Promise<unknown>;

describe('what a start has found', () => {
  it.each(['killed', 'failed'] as const)('is on the disk, where the sync before was %s', async (sync) => {
    const disk = new Platter();
    await start(disk);
    for (let index = 1; index <= 3; index++) await append(index);
    disk.sync = sync;
    await expect(append(4)).rejects.toThrow();
    disk.sync = 'done';
    const found = await start(disk);
    // Whoever votes, or acknowledges, by what it found says so at once.
    expect(found).toMatchObject({ hardState: { term: 4, vote: 4 }, entries: { length: 4 }, repairs: [] });
    await log.closeAll();
    disk.losePower();
    expect(await start(disk)).toEqual(found);
  });

  it('is not there after a start which could not write it, as one that was not finished', async () => {
    const disk = new Platter();
    await start(disk);
    await append(1);
    const before = readFileSync(join(log.directory, '0000000000000001.log'));
    disk.sync = 'failed';
    await expect(append(2)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await log.closeAll();
    await expect(start(disk)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    disk.losePower();
    expect(readFileSync(join(log.directory, '0000000000000001.log'))).toEqual(before);
    disk.sync = 'done';
    expect(await start(disk)).toMatchObject({ entries: { length: 1 }, repairs: [] });
  });
});
