import { describe, expect, it } from '@jest/globals';
import { batch, entry, snapshot, terms, testLog } from '../test/log.fixtures.js';
import { type Disk, type DiskFile, nodeDisk } from './disk.js';

const log = testLog();

/** Fails the n-th call of one kind, and every one after it. */
class FailingDisk implements Disk {
  readonly #fails: 'write' | 'datasync';
  readonly #code: string;
  callsLeft = Number.POSITIVE_INFINITY;
  callsAfterFailure = 0;

  constructor(fails: 'write' | 'datasync', code: string) {
    this.#fails = fails;
    this.#code = code;
  }

  create = async (path: string): Promise<DiskFile> => this.#wrap(await nodeDisk.create(path));
  open = async (path: string): Promise<DiskFile> => this.#wrap(await nodeDisk.open(path));
  read = nodeDisk.read;
  openToRead = nodeDisk.openToRead;
  list = nodeDisk.list;
  makeDirectory = nodeDisk.makeDirectory;
  syncDirectory = nodeDisk.syncDirectory;
  rename = nodeDisk.rename;
  remove = nodeDisk.remove;
  freeBytes = nodeDisk.freeBytes;

  #wrap(file: DiskFile): DiskFile {
    return {
      write: (bytes, position) => this.#call('write', () => file.write(bytes, position)),
      datasync: () => this.#call('datasync', () => file.datasync()),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  }

  async #call(kind: 'write' | 'datasync', run: () => Promise<void>): Promise<void> {
    if (this.callsLeft <= 0) this.callsAfterFailure += 1;
    if (kind === this.#fails) this.callsLeft -= 1;
    if (kind === this.#fails && this.callsLeft < 0) {
      throw Object.assign(new Error(`${this.#code}: injected`), { code: this.#code });
    }
    await run();
  }
}

describe('a disk that fails', () => {
  it.each([
    ['write', 'ENOSPC', 'the disk is full'],
    ['datasync', 'EIO', 'the disk reported EIO'],
  ] as const)('in %s with %s ends the log, which is never tried again', async (kind, code, sentence) => {
    const disk = new FailingDisk(kind, code);
    const { storage } = await log.open({ disk: disk });
    await storage.append(batch([entry(1, 1)]));
    disk.callsLeft = 0;
    const failed = expect(storage.append(batch([entry(2, 1)]))).rejects;
    await failed.toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining(sentence) });
    disk.callsLeft = Number.POSITIVE_INFINITY;
    const calls = disk.callsAfterFailure;
    await expect(storage.append(batch([entry(2, 1)]))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(storage.saveSnapshot(snapshot(1, 1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(disk.callsAfterFailure).toBe(calls);
    await log.close(storage);
    expect(terms(await log.recover())[0]).toEqual([1, 1]);
  });

  it('when the next segment is made, shows when that is needed', async () => {
    const disk = new FailingDisk('write', 'EIO');
    const { storage } = await log.open({ disk: disk });
    const fill = async (): Promise<void> => {
      for (let i = 1; ; i++) {
        if (i === 10) disk.callsLeft = 0;
        await storage.append(batch([entry(i, 1, 'f'.repeat(200))]));
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await log.close(storage);
    expect(terms(await log.recover())).toHaveLength(9);
  });
});
