/** A log that has lost its newest file, or the end of one, against logs as crashes and earlier versions leave them. */
import { cpSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { batch, batchOf, entry, segmentSizeBytes, testLog } from '../test/log.fixtures.js';
import { type Disk, type DiskFile, nodeDisk } from './disk.js';
import type { RecoveredLog } from './types.js';

const log = testLog();

async function write(from: number, to: number): Promise<void> {
  const { storage } = await log.open();
  for (let i = from; i <= to; i++) await storage.append(batchOf(1, i));
  await log.close(storage);
}

describe('a segment', () => {
  it('of any size whose file has lost its end stops the start, wherever it is cut', async () => {
    await write(1, 20);
    const { storage } = await log.open();
    await storage.append(batch([entry(21, 1, 'x'.repeat(3 * segmentSizeBytes))]));
    await log.close(storage);
    for (const name of log.segments()) {
      const path = join(log.directory, name);
      const whole = readFileSync(path);
      for (let cut = 0; cut < whole.length; cut += cut < 64 ? 1 : 41) {
        truncateSync(path, cut);
        await expect(log.recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: path } });
        writeFileSync(path, whole);
      }
      truncateSync(path, 600);
      await expect(log.recover()).rejects.toMatchObject({
        message: expect.stringContaining(
          `${path} at byte 600: the end of the file is lost: it was made with ${String(whole.length)} bytes, and has 600. Keep the directory`,
        ) as unknown,
      });
      writeFileSync(path, whole);
    }
    expect((await log.recover()).entries).toHaveLength(21);
  });

  it('may be of another size than those of today', async () => {
    await write(1, 30);
    for (const other of [segmentSizeBytes / 2, 2 * segmentSizeBytes]) {
      const { storage, recovered } = await log.open({ segmentSizeBytes: other });
      await log.close(storage);
      expect(recovered).toMatchObject({ repairs: [], entries: { length: 30 } });
    }
  });
});

/** Before versions that say its size and whether another follows. */
function asOfVersion(version: 1 | 2, path: string): void {
  const bytes = readFileSync(path);
  const old = Buffer.concat([bytes.subarray(0, 32), bytes.subarray(48), Buffer.alloc(16)]);
  old.writeUInt32LE(version, 8);
  old.writeUInt32LE(crc32(old.subarray(0, 28)), 28);
  writeFileSync(path, old);
}

describe.each([1, 2] as const)('a log of version %i', (version) => {
  beforeEach(async () => {
    await write(1, 30);
    for (const name of log.segments()) asOfVersion(version, join(log.directory, name));
  });
  const last = (): string => join(log.directory, log.segments().at(-1)!);

  it('is read, and goes on', async () => {
    expect(await log.recover()).toMatchObject({ repairs: [], entries: { length: 30 } });
    expect(await log.recover()).toMatchObject({ identity: null, wantsIdentity: version === 2 });
    await write(31, 60);
    expect(await log.recover()).toMatchObject({ wantsIdentity: true, entries: { length: 60 } });
    unlinkSync(last());
    await expect(log.recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('is repaired where a write was not finished, and refused where the end of the file is lost', async () => {
    const whole = readFileSync(last());
    const end = whole.findLastIndex((byte) => byte !== 0) + 1;
    for (const cut of [end - 1, end - 100, end - 700, 32, 31, 0]) {
      truncateSync(last(), cut);
      await expect(log.recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: last() } });
      writeFileSync(last(), whole);
    }
    writeFileSync(last(), Buffer.from(whole).fill(0, end - 100));
    expect(await log.recover()).toMatchObject({ repairs: { length: 1 }, entries: { length: 29 } });
  });
});

describe('a crash', () => {
  /** What is in the directory before and after each thing that changes it, and how many entries were acknowledged by then. */
  async function images(): Promise<{ readonly at: string; readonly acknowledged: number }[]> {
    const taken: { at: string; acknowledged: number }[] = [];
    let acknowledged = 0;
    const own = join(log.directory, 'log');
    const take = (): void => {
      const at = join(log.directory, `image-${String(taken.length)}`);
      cpSync(own, at, { recursive: true, filter: (path) => !path.endsWith('lock') });
      taken.push({ at, acknowledged });
    };
    const watched = async <T>(work: () => Promise<T>): Promise<T> => {
      take();
      const result = await work();
      take();
      return result;
    };
    const wrap = (path: string, file: DiskFile): DiskFile => ({
      write: (bytes, position) =>
        path.endsWith('.partial') ? file.write(bytes, position) : watched(() => file.write(bytes, position)),
      datasync: () => file.datasync(),
      sync: () => file.sync(),
      close: () => file.close(),
    });
    const disk: Disk = {
      ...nodeDisk,
      create: async (path) => wrap(path, await nodeDisk.create(path)),
      open: async (path) => wrap(path, await nodeDisk.open(path)),
      rename: (from, to) => watched(() => nodeDisk.rename(from, to)),
      remove: (path) => watched(() => nodeDisk.remove(path)),
    };
    const { storage } = await log.open({ directory: own, disk });
    for (let i = 1; i <= 24; i++) {
      await storage.append(batchOf(1, i));
      acknowledged = i;
    }
    await storage.saveSnapshot({ index: 20, term: 1, configuration: new Uint8Array(), chunks: [] });
    await storage.compact(20);
    await log.close(storage);
    take();
    return taken;
  }
  const reached = ({ snapshot: { index }, entries }: RecoveredLog): number => index + entries.length;

  it('at any point takes nothing that was acknowledged, and after it the newest segment is missed when it is lost', async () => {
    let lost = 0;
    for (const { at, acknowledged } of await images()) {
      expect(reached(await log.recover(at))).toBeGreaterThanOrEqual(acknowledged);
      const all = log.segments(at);
      if (all.length < 2) continue;
      lost += 1;
      unlinkSync(join(at, all.at(-1)!));
      await expect(log.recover(at)).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        message: expect.stringContaining('the segment with the number') as unknown,
      });
    }
    expect(lost).toBeGreaterThan(10);
  });

  it('before anybody started it again does not hide that the newest segment is lost', async () => {
    for (const { at, acknowledged } of await images()) {
      const all = log.segments(at);
      // That the only one is lost shows its identity.
      if (all.length < 2) continue;
      unlinkSync(join(at, all.at(-1)!));
      const outcome = await log.recover(at).catch((error: unknown) => error as { code: string });
      if ('code' in outcome) expect(outcome.code).toBe('LOG_CORRUPT');
      else expect(reached(outcome)).toBeGreaterThanOrEqual(acknowledged);
    }
  });
});
