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
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Disk, type DiskFile, nodeDisk } from './disk.js';
import { type LogStorage, openLogStorage, type OpenedLog } from './log-storage.js';
import type { LogBatch } from './batch-codec.js';
import type { ReceivedSnapshot } from './snapshot-files.js';
import type { LogEntry, LogSnapshot, RecoveredLog } from './types.js';

const segmentSizeBytes = 4096;

let directory: string;
const opened: LogStorage[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-storage-'));
});
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  rmSync(directory, { recursive: true });
});

async function open(at = directory, disk?: Disk): Promise<OpenedLog> {
  const log = await openLogStorage({
    directory: at,
    segmentSizeBytes,
    ...(disk === undefined ? {} : { disk }),
  });
  opened.push(log.storage);
  return log;
}
async function close(storage: LogStorage): Promise<void> {
  opened.splice(opened.indexOf(storage), 1);
  await storage.close();
}
/** What a start would find. */
async function recover(at = directory): Promise<RecoveredLog> {
  const { storage, recovered } = await open(at);
  await close(storage);
  return recovered;
}

const entry = (index: number, term: number, text = `entry ${String(index)}`): LogEntry => ({
  index,
  term,
  kind: 1,
  data: new TextEncoder().encode(text),
});
const batch = (entries: LogEntry[], term = 1): LogBatch => ({
  hardState: { term, vote: 2, commit: 0 },
  entries,
  snapshot: null,
});
const snapshot = (index: number, term: number): LogSnapshot => ({
  index,
  term,
  configuration: new Uint8Array([7, 8, 9]),
  chunks: [new Uint8Array([1, 2]), new Uint8Array(), new Uint8Array([3])],
});
/** As another member sends it: its chunks in any order. */
async function received(storage: LogStorage, sent: LogSnapshot): Promise<ReceivedSnapshot> {
  const writer = storage.receiveSnapshot(sent);
  const chunks = [...sent.chunks].map((chunk, number) => ({ chunk, number }));
  for (const { chunk, number } of chunks.reverse()) {
    expect(await storage.addChunk(writer, number, chunk)).toBe('written');
  }
  return { writer, configuration: sent.configuration };
}
/** The newest one, whole. */
async function readSnapshot(storage: LogStorage): Promise<LogSnapshot | null> {
  const file = await storage.openNewestSnapshot();
  if (file === null) return null;
  const { index, term, configuration } = file;
  try {
    const chunks: Uint8Array[] = [];
    for (const chunk of file.chunks) chunks.push(new Uint8Array(await chunk.read()));
    return { index, term, configuration, chunks };
  } finally {
    await file.close();
  }
}
const segments = (at = directory): string[] => readdirSync(at).filter((name) => name.endsWith('.log'));
const terms = ({ entries }: RecoveredLog): [number, number][] =>
  entries.map(({ index, term }) => [index, term]);

async function writeBatches(count: number, dataBytes = 10): Promise<void> {
  const { storage } = await open();
  for (let i = 1; i <= count; i++) await storage.append(batch([entry(i, 1, 'x'.repeat(dataBytes))], i));
  await close(storage);
}

describe('the log', () => {
  it('is empty at first', async () => {
    expect(await recover()).toEqual({
      identity: null,
      wantsIdentity: false,
      hardState: { term: 0, vote: 0, commit: 0 },
      snapshot: { index: 0, term: 0 },
      entries: [],
      repairs: [],
    });
  });

  it('gives back what was written, byte for byte', async () => {
    const { storage } = await open();
    const large = { index: 3, term: 2 ** 40, kind: 0, data: new Uint8Array(3 * segmentSizeBytes).fill(7) };
    await storage.append({
      ...batch([entry(1, 1), entry(2, 1)]),
      hardState: { term: 2 ** 40, vote: 5, commit: 1 },
    });
    await storage.append({ ...batch([large]), hardState: { term: 2 ** 40, vote: 3, commit: 2 } });
    await close(storage);
    const recovered = await recover();
    expect(recovered.hardState).toEqual({ term: 2 ** 40, vote: 3, commit: 2 });
    expect(recovered.entries).toEqual([entry(1, 1), entry(2, 1), large]);
  });

  it('goes on after a restart, over many segments', async () => {
    for (let round = 0; round < 3; round++) {
      const { storage } = await open();
      for (let i = 1; i <= 20; i++) await storage.append(batch([entry(round * 20 + i, 1, 'y'.repeat(300))]));
      await close(storage);
    }
    expect(segments().length).toBeGreaterThan(4);
    expect(terms(await recover())).toEqual(Array.from({ length: 60 }, (_, i) => [i + 1, 1]));
  });

  it('replaces a conflicting suffix', async () => {
    const { storage } = await open();
    await storage.append(batch([entry(1, 1), entry(2, 1), entry(3, 1)]));
    await storage.append(batch([entry(2, 2)]));
    await close(storage);
    expect(terms(await recover())).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('keeps what follows a snapshot, and deletes segments and snapshots that are covered', async () => {
    const { storage } = await open();
    for (let i = 1; i <= 60; i++) await storage.append(batch([entry(i, 1, 'z'.repeat(300))]));
    await storage.saveSnapshot(snapshot(20, 1));
    await storage.saveSnapshot(snapshot(50, 1));
    const before = segments().length;
    await storage.compact(50);
    expect(segments().length).toBeLessThan(before);
    expect(readdirSync(directory).filter((name) => name.endsWith('.snapshot'))).toHaveLength(1);
    expect(await readSnapshot(storage)).toEqual(snapshot(50, 1));
    await close(storage);
    const recovered = await recover();
    expect(recovered.snapshot).toEqual({ index: 50, term: 1 });
    expect(terms(recovered)).toEqual(Array.from({ length: 10 }, (_, i) => [i + 51, 1]));
  });

  it('starts anew behind a snapshot from another member', async () => {
    const { storage } = await open();
    await storage.append(batch([entry(1, 1), entry(2, 1), entry(3, 1)]));
    await storage.append({ ...batch([]), snapshot: await received(storage, snapshot(10, 3)) });
    expect(await readSnapshot(storage)).toEqual(snapshot(10, 3));
    await storage.append(batch([entry(11, 3)]));
    await storage.compact(10);
    await close(storage);
    const recovered = await recover();
    expect(recovered.snapshot).toEqual({ index: 10, term: 3 });
    expect(terms(recovered)).toEqual([[11, 3]]);
  });

  it('drops a log which a snapshot replaces, if the crash came between the two', async () => {
    const { storage } = await open();
    await storage.append(batch([entry(1, 1), entry(2, 1), entry(3, 1)]));
    // Of another history: here, entry 2 is of term 1.
    await storage.saveSnapshot(snapshot(2, 2));
    await close(storage);
    const recovered = await recover();
    expect(recovered.snapshot).toEqual({ index: 2, term: 2 });
    expect(recovered.entries).toEqual([]);
  });

  /** The snapshot 2/1 with the chunks [1, 2], [] and [3], as earlier versions wrote it. */
  it.each([
    [
      1,
      '52494e47534e4150010000000200000000000000010000000000000003000000020000000102000000000100000003cacd7f01',
      new Uint8Array(),
    ],
    [
      2,
      '52494e47534e415002000000020000000000000001000000000000000300000003000000070809020000000102000000000100000003372aae31',
      new Uint8Array([7, 8, 9]),
    ],
  ])('reads a snapshot of version %i', async (_version, written, configuration) => {
    const { storage } = await open();
    await storage.append(batch([entry(1, 1), entry(2, 1)]));
    await storage.saveSnapshot(snapshot(2, 1));
    await close(storage);
    writeFileSync(join(directory, '0000000000000002-1.snapshot'), Buffer.from(written, 'hex'));
    const { storage: second } = await open();
    expect(await readSnapshot(second)).toEqual({ ...snapshot(2, 1), configuration });
  });

  it('forgets a snapshot that was not finished', async () => {
    const { storage } = await open();
    await storage.append(batch([entry(1, 1)]));
    await close(storage);
    writeFileSync(join(directory, '0000000000000001-1.snapshot.partial'), 'half');
    expect((await recover()).snapshot.index).toBe(0);
    expect(readdirSync(directory).filter((name) => name.includes('snapshot'))).toEqual([]);
  });
});

describe('a write that was not finished', () => {
  /** The bytes of the segment with and without its last record. */
  async function lastRecord(): Promise<{ path: string; whole: Buffer; start: number; end: number }> {
    await writeBatches(3);
    const path = join(directory, segments()[0]!);
    const before = readFileSync(path);
    const { storage } = await open();
    await storage.append(batch([entry(4, 1, 'a'.repeat(700)), entry(5, 1, 'b'.repeat(700))], 4));
    await close(storage);
    const whole = readFileSync(path);
    const start = whole.findIndex((byte, i) => byte !== before[i]);
    const end = whole.findLastIndex((byte) => byte !== 0) + 1;
    return { path, whole, start, end };
  }

  it('is cut off, wherever it stops, and reported; all before it stays', async () => {
    const { path, whole, start, end } = await lastRecord();
    for (let cut = start; cut < end; cut += cut < start + 64 || cut > end - 64 ? 1 : 37) {
      const torn = Buffer.from(whole);
      torn.fill(0, cut);
      writeFileSync(path, torn);
      const recovered = await recover();
      expect(terms(recovered)).toEqual([
        [1, 1],
        [2, 1],
        [3, 1],
      ]);
      expect(recovered.hardState.term).toBe(3);
      expect(recovered.repairs).toHaveLength(cut === start ? 0 : 1);
      // It is repaired for good.
      expect((await recover()).repairs).toEqual([]);
    }
  });

  it('is cut off when the disk wrote its sectors in another order', async () => {
    const { path, whole, start, end } = await lastRecord();
    const firstSector = Math.ceil(start / 512) * 512;
    for (let sector = firstSector - 512; sector + 512 <= end; sector += 512) {
      const torn = Buffer.from(whole);
      torn.fill(0, Math.max(sector, start), sector + 512);
      writeFileSync(path, torn);
      const recovered = await recover();
      expect(terms(recovered)).toHaveLength(3);
      expect(recovered.repairs).toHaveLength(1);
    }
  });

  it('is cut off when a sector boundary runs through its header', async () => {
    await writeBatches(1, 346);
    const path = join(directory, segments()[0]!);
    const start = readFileSync(path).findLastIndex((byte) => byte !== 0) + 1;
    expect(start).toBeGreaterThan(488);
    expect(start).toBeLessThan(512);
    const { storage } = await open();
    await storage.append(batch([entry(2, 1)]));
    await close(storage);
    const whole = readFileSync(path);
    for (const [from, to] of [
      [start, 512],
      [512, 1024],
    ] as const) {
      const torn = Buffer.from(whole);
      torn.fill(0, from, to);
      writeFileSync(path, torn);
      const recovered = await recover();
      expect(terms(recovered)).toEqual([[1, 1]]);
      expect(recovered.repairs).toHaveLength(1);
    }
  });

  it('lets the log go on in its place', async () => {
    const { path, whole, start } = await lastRecord();
    const torn = Buffer.from(whole);
    torn.fill(0, start + 100);
    writeFileSync(path, torn);
    const { storage } = await open();
    await storage.append(batch([entry(4, 9)], 9));
    await close(storage);
    expect(terms(await recover()).at(-1)).toEqual([4, 9]);
  });
});

describe('damage', () => {
  it('of any bit of any record stops the start, and names the place', async () => {
    await writeBatches(6, 30);
    const path = join(directory, segments()[0]!);
    const whole = readFileSync(path);
    const end = whole.findLastIndex((byte) => byte !== 0) + 1;
    const healthy = terms(await recover());
    for (let at = 0; at < end; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      writeFileSync(path, damaged);
      const outcome = await recover().catch(
        (error: unknown) => error as { code: string; details: { file: string } },
      );
      if ('code' in outcome) {
        expect(outcome).toMatchObject({ code: 'LOG_CORRUPT', details: { file: path } });
      } else {
        // Bits between records mean nothing.
        expect(terms(outcome)).toEqual(healthy);
      }
    }
  }, 30_000);

  it('of what was acknowledged in an older segment stops the start', async () => {
    await writeBatches(40, 300);
    const path = join(directory, segments()[1]!);
    const damaged = readFileSync(path);
    damaged.fill(0, damaged.findLastIndex((byte) => byte !== 0) - 20);
    writeFileSync(path, damaged);
    await expect(recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: path } });
  });

  it('is a missing segment', async () => {
    await writeBatches(60, 300);
    const copy = mkdtempSync(join(tmpdir(), 'log-storage-copy-'));
    for (const missing of segments()) {
      cpSync(directory, copy, { recursive: true });
      unlinkSync(join(copy, missing));
      await expect(recover(copy)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    }
    rmSync(copy, { recursive: true });
  });

  it('is a snapshot without its log, and a log without its snapshot', async () => {
    const { storage } = await open();
    for (let i = 1; i <= 60; i++) await storage.append(batch([entry(i, 1, 'z'.repeat(300))]));
    await storage.saveSnapshot(snapshot(50, 1));
    await storage.compact(50);
    await close(storage);
    const copy = mkdtempSync(join(tmpdir(), 'log-storage-copy-'));
    cpSync(directory, copy, { recursive: true });
    for (const name of segments(copy)) unlinkSync(join(copy, name));
    await expect(recover(copy)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    rmSync(copy, { recursive: true });
    unlinkSync(
      join(
        directory,
        readdirSync(directory).find((name) => name.endsWith('.snapshot'))!,
      ),
    );
    await expect(recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('of a snapshot is found when it is read', async () => {
    const { storage } = await open();
    await storage.append(batch([entry(1, 1)]));
    await storage.saveSnapshot(snapshot(1, 1));
    const path = join(
      directory,
      readdirSync(directory).find((name) => name.endsWith('.snapshot'))!,
    );
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 4;
      writeFileSync(path, damaged);
      const { storage: second } = await openCopy();
      await expect(readSnapshot(second)).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        details: { file: path },
      });
      await close(second);
    }
    async function openCopy(): Promise<OpenedLog> {
      if (opened.includes(storage)) await close(storage);
      return open();
    }
  });
});

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
    const { storage } = await open(directory, disk);
    await storage.append(batch([entry(1, 1)]));
    disk.callsLeft = 0;
    const failed = expect(storage.append(batch([entry(2, 1)]))).rejects;
    await failed.toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining(sentence) });
    disk.callsLeft = Number.POSITIVE_INFINITY;
    const calls = disk.callsAfterFailure;
    await expect(storage.append(batch([entry(2, 1)]))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(storage.saveSnapshot(snapshot(1, 1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(disk.callsAfterFailure).toBe(calls);
    await close(storage);
    expect(terms(await recover())[0]).toEqual([1, 1]);
  });

  it('when the next segment is made, shows when that is needed', async () => {
    const disk = new FailingDisk('write', 'EIO');
    const { storage } = await open(directory, disk);
    const fill = async (): Promise<void> => {
      for (let i = 1; ; i++) {
        if (i === 10) disk.callsLeft = 0;
        await storage.append(batch([entry(i, 1, 'f'.repeat(200))]));
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await close(storage);
    expect(terms(await recover())).toHaveLength(9);
  });
});

describe('folders', () => {
  /** What was made, removed and synced, in order. */
  function watchedDisk(calls: string[]): Disk {
    const note = (call: string, path: string): void => {
      calls.push(`${call} ${relative(directory, path)}`);
    };
    return {
      ...nodeDisk,
      syncDirectory: async (path) => {
        await nodeDisk.syncDirectory(path);
        note('sync', path);
      },
      remove: async (path) => {
        await nodeDisk.remove(path);
        note('remove', path);
      },
    };
  }

  it('that were made on the way to the log are on disk, the last above all', async () => {
    const calls: string[] = [];
    await open(join(directory, 'a', 'b', 'c'), watchedDisk(calls));
    expect(calls.slice(0, 3)).toEqual([`sync ${join('a', 'b')}`, 'sync a', 'sync ']);
  });

  it('have the names on disk that a start finds: the process before may have been killed as it gave one', async () => {
    await writeBatches(1);
    const calls: string[] = [];
    await open(directory, watchedDisk(calls));
    expect(calls).toContain('sync ');
  });

  it('that cannot be made are told of at once', async () => {
    const opening = open(join('/proc', 'none', 'raft'));
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('lose old segments one after the other: no crash leaves a gap', async () => {
    await writeBatches(30, 300);
    const calls: string[] = [];
    const { storage } = await open(directory, watchedDisk(calls));
    await storage.saveSnapshot(snapshot(30, 1));
    calls.length = 0;
    const old = segments().slice(0, -1);
    await storage.compact(30);
    expect(old.length).toBeGreaterThan(1);
    expect(calls).toEqual(old.flatMap((name) => [`remove ${name}`, 'sync ']));
  });
});

describe('the identity', () => {
  const founders = [
    { seat: 1, id: 2 ** 52 + 1 },
    { seat: 2, id: 7 },
  ];
  const identity = { cluster: 'local', seat: 2, id: 7, founders: null, isBegun: false };
  const path = (): string => join(directory, 'identity');

  describe('beside segments of another member', () => {
    const names = ['one', 'other'];
    const [one = '', other = ''] = names;
    const place = (name: string): string => join(directory, name);
    const openIn = (name: string) => openLogStorage({ directory: place(name), segmentSizeBytes: 4096 });
    const logs = (name: string): string[] => readdirSync(place(name)).filter((file) => file.endsWith('.log'));
    beforeEach(async () => {
      for (const [i, name] of names.entries()) {
        const { storage } = await openIn(name);
        await storage.saveIdentity({ ...identity, founders, id: founders[i]!.id, isBegun: true });
        for (let index = 1; index <= 20; index++) {
          const entry = { index, term: 1, kind: 1, data: new Uint8Array(300) };
          await storage.append({
            hardState: { term: 1, vote: i, commit: 0 },
            entries: [entry],
            snapshot: null,
          });
        }
        await storage.close();
      }
    });

    it('refuses any of them: votes and entries in them are not its own', async () => {
      expect(logs(one).length).toBeGreaterThan(1);
      for (const file of logs(one)) {
        const own = readFileSync(join(place(one), file));
        writeFileSync(join(place(one), file), readFileSync(join(place(other), file)));
        await expect(openIn(one)).rejects.toMatchObject({
          code: 'LOG_FOREIGN',
          message: expect.stringContaining(join(place(one), file)) as unknown,
        });
        writeFileSync(join(place(one), file), own);
      }
      const { storage, recovered } = await openIn(one);
      expect(recovered.entries).toHaveLength(20);
      await storage.close();
    });

    it('refuses them also where it has agreed on no founders yet', async () => {
      const { storage } = await openIn('new');
      await storage.saveIdentity(identity);
      await storage.close();
      for (const file of logs(other))
        writeFileSync(join(place('new'), file), readFileSync(join(place(other), file)));
      await expect(openIn('new')).rejects.toMatchObject({ code: 'LOG_FOREIGN' });
    });

    it('takes those that do not say whose they are, and marks them', async () => {
      const unmark = (name: string): void => {
        for (const file of logs(name)) {
          const bytes = readFileSync(join(place(name), file));
          bytes.writeUInt32LE(0, 44);
          writeFileSync(join(place(name), file), bytes);
        }
      };
      unmark(one);
      const { storage, recovered } = await openIn(one);
      expect(recovered.entries).toHaveLength(20);
      await storage.close();
      for (const file of logs(one)) expect(readFileSync(join(place(one), file)).readUInt32LE(44)).not.toBe(0);
    });
  });

  it('is kept beside the log, and replaced as a whole', async () => {
    const { storage, recovered } = await open();
    expect(recovered.identity).toBeNull();
    await storage.saveIdentity(identity);
    await close(storage);
    expect((await recover()).identity).toEqual(identity);
    const again = await open();
    await again.storage.saveIdentity({ ...identity, founders, isBegun: true });
    await close(again.storage);
    writeFileSync(`${path()}.partial`, 'half of');
    expect((await recover()).identity).toEqual({ ...identity, founders, isBegun: true });
    expect(readdirSync(directory)).not.toContain('identity.partial');
  });

  it('that was damaged stops the start', async () => {
    const { storage } = await open();
    await storage.saveIdentity(identity);
    await close(storage);
    const text = readFileSync(path(), 'utf8');
    for (const damaged of [text.replace('"id":7', '"id":8'), text.slice(0, 20), '']) {
      writeFileSync(path(), damaged);
      await expect(open()).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        message: expect.stringContaining(`${path()} at byte 0: the checksum of the identity`) as unknown,
      });
    }
  });

  it('without a log shows that the log is lost', async () => {
    const { storage } = await open();
    await storage.saveIdentity(identity);
    await close(storage);
    for (const name of segments()) unlinkSync(join(directory, name));
    await expect(open()).rejects.toMatchObject({ code: 'LOG_MISSING', details: { directory, id: 7 } });
    // It does not make one: the next start must find the same.
    await expect(open()).rejects.toMatchObject({ code: 'LOG_MISSING' });
  });
});

describe('the lock', () => {
  it('keeps a second owner off until the first one ends', async () => {
    const { storage } = await open();
    await expect(open()).rejects.toMatchObject({
      code: 'LOG_IN_USE',
      details: {
        directory,
        holder: expect.stringContaining(`process ${String(process.pid)} on `) as unknown,
      },
    });
    await close(storage);
    await recover();
  });

  it('is let go when the log cannot be opened', async () => {
    await writeBatches(1);
    const [segment] = segments();
    truncateSync(join(directory, segment!), 4);
    await expect(open()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await expect(open()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });
});
