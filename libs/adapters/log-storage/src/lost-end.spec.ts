/** A log that has lost its newest file, or the end of one, against logs as crashes and earlier versions leave them. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogBatch } from './batch-codec.js';
import { type Disk, type DiskFile, nodeDisk } from './disk.js';
import { type OpenedLog, openLogStorage } from './log-storage.js';
import type { RecoveredLog } from './types.js';

const segmentSizeBytes = 4096;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lost-end-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const open = (at = directory, disk: Disk = nodeDisk): Promise<OpenedLog> =>
  openLogStorage({ directory: at, segmentSizeBytes, disk });
/** What a start would find. */
async function recover(at = directory): Promise<RecoveredLog> {
  const { storage, recovered } = await open(at);
  await storage.close();
  return recovered;
}
const segments = (at = directory): string[] => readdirSync(at).filter((name) => name.endsWith('.log'));
const batch = (index: number, dataBytes = 300): LogBatch => ({
  hardState: { term: 1, vote: 0, commit: 0 },
  entries: [{ index, term: 1, kind: 1, data: new Uint8Array(dataBytes).fill(120) }],
  snapshot: null,
});
async function write(from: number, to: number): Promise<void> {
  const { storage } = await open();
  for (let i = from; i <= to; i++) await storage.append(batch(i));
  await storage.close();
}

describe('a segment', () => {
  it('of any size whose file has lost its end stops the start, wherever it is cut', async () => {
    await write(1, 20);
    const { storage } = await open();
    await storage.append(batch(21, 3 * segmentSizeBytes));
    await storage.close();
    for (const name of segments()) {
      const path = join(directory, name);
      const whole = readFileSync(path);
      for (let cut = 0; cut < whole.length; cut += cut < 64 ? 1 : 41) {
        truncateSync(path, cut);
        await expect(recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: path } });
        writeFileSync(path, whole);
      }
      truncateSync(path, 600);
      await expect(recover()).rejects.toMatchObject({
        message: expect.stringContaining(
          `${path} at byte 600: the end of the file is lost: it was made with ${String(whole.length)} bytes, and has 600. Keep the directory`,
        ) as unknown,
      });
      writeFileSync(path, whole);
    }
    expect((await recover()).entries).toHaveLength(21);
  });

  it('may be of another size than those of today', async () => {
    await write(1, 30);
    for (const other of [segmentSizeBytes / 2, 2 * segmentSizeBytes]) {
      const { storage, recovered } = await openLogStorage({ directory, segmentSizeBytes: other });
      await storage.close();
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
    for (const name of segments()) asOfVersion(version, join(directory, name));
  });
  const last = (): string => join(directory, segments().at(-1)!);

  it('is read, and goes on', async () => {
    expect(await recover()).toMatchObject({ repairs: [], entries: { length: 30 } });
    expect(await recover()).toMatchObject({ identity: null, wantsIdentity: version === 2 });
    await write(31, 60);
    expect(await recover()).toMatchObject({ wantsIdentity: true, entries: { length: 60 } });
    unlinkSync(last());
    await expect(recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('is repaired where a write was not finished, and refused where the end of the file is lost', async () => {
    const whole = readFileSync(last());
    const end = whole.findLastIndex((byte) => byte !== 0) + 1;
    for (const cut of [end - 1, end - 100, end - 700, 32, 31, 0]) {
      truncateSync(last(), cut);
      await expect(recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: last() } });
      writeFileSync(last(), whole);
    }
    writeFileSync(last(), Buffer.from(whole).fill(0, end - 100));
    expect(await recover()).toMatchObject({ repairs: { length: 1 }, entries: { length: 29 } });
  });
});

describe('a crash', () => {
  /** What is in the directory before and after each thing that changes it, and how many entries were acknowledged by then. */
  async function images(): Promise<{ readonly at: string; readonly acknowledged: number }[]> {
    const taken: { at: string; acknowledged: number }[] = [];
    let acknowledged = 0;
    const log = join(directory, 'log');
    const take = (): void => {
      const at = join(directory, `image-${String(taken.length)}`);
      cpSync(log, at, { recursive: true, filter: (path) => !path.endsWith('lock') });
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
    const { storage } = await open(log, {
      ...nodeDisk,
      create: async (path) => wrap(path, await nodeDisk.create(path)),
      open: async (path) => wrap(path, await nodeDisk.open(path)),
      rename: (from, to) => watched(() => nodeDisk.rename(from, to)),
      remove: (path) => watched(() => nodeDisk.remove(path)),
    });
    for (let i = 1; i <= 24; i++) {
      await storage.append(batch(i));
      acknowledged = i;
    }
    await storage.saveSnapshot({ index: 20, term: 1, configuration: new Uint8Array(), chunks: [] });
    await storage.compact(20);
    await storage.close();
    take();
    return taken;
  }
  const reached = ({ snapshot: { index }, entries }: RecoveredLog): number => index + entries.length;

  it('at any point takes nothing that was acknowledged, and after it the newest segment is missed when it is lost', async () => {
    let lost = 0;
    for (const { at, acknowledged } of await images()) {
      expect(reached(await recover(at))).toBeGreaterThanOrEqual(acknowledged);
      const all = segments(at);
      if (all.length < 2) continue;
      lost += 1;
      unlinkSync(join(at, all.at(-1)!));
      await expect(recover(at)).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        message: expect.stringContaining('the segment with the number') as unknown,
      });
    }
    expect(lost).toBeGreaterThan(10);
  });

  it('before anybody started it again does not hide that the newest segment is lost', async () => {
    for (const { at, acknowledged } of await images()) {
      const all = segments(at);
      // That the only one is lost shows its identity.
      if (all.length < 2) continue;
      unlinkSync(join(at, all.at(-1)!));
      const outcome = await recover(at).catch((error: unknown) => error as { code: string });
      if ('code' in outcome) expect(outcome.code).toBe('LOG_CORRUPT');
      else expect(reached(outcome)).toBeGreaterThanOrEqual(acknowledged);
    }
  });
});
