import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT_DO_NOT_RESTART } from '@ringleader/contracts';
import type { MemberId } from '@ringleader/primitives';
import { openLogStorage } from '@ringleader/log-storage';
import { snapshotOf, storeOf } from '@ringleader/mvcc';
import { until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';

const TIMEOUT_MS = 60_000;
const WRITES = 20;
const RECORD_ALIGNMENT = 8;
const FIRST_RECORD = 32;
const TORN_BYTES = 10;

describe('a coordinator whose log on disk was damaged while it was down', () => {
  let group: CoordinatorGroup;
  let victim: MemberId;

  beforeEach(async () => {
    group = await CoordinatorGroup.start();
    const client = group.client();
    for (let i = 0; i < WRITES; i++) {
      const put = { kind: 'put' as const, key: `k/${i}`, value: `value-${i}` };
      await client.txn({ compare: [], success: [put], failure: [] });
    }
    const leader = await group.leader();
    victim = group.members.find((member) => member !== leader) ?? 0;
    await group.caughtUp(victim);
    await group.kill9(victim);
  }, TIMEOUT_MS);

  afterEach(() => group.stop(), TIMEOUT_MS);

  /** Changes the only segment that has records. */
  const damage = async (change: (segment: Buffer) => void): Promise<void> => {
    const directory = join(group.dataDirectory(victim), 'raft');
    const names = (await readdir(directory, { recursive: true })).sort();
    for (const name of names) {
      const path = join(directory, name);
      const bytes = await readFile(path).catch(() => Buffer.alloc(0));
      if (!bytes.includes('value-0')) continue;
      change(bytes);
      await writeFile(path, bytes);
      return;
    }
    throw new Error(`no log with the writes among ${names.join(', ')}`);
  };

  it(
    'cuts a torn tail off, says so, and is brought up by the others',
    async () => {
      // A write that the crash cut short: the first bytes of a record, where the next one would have stood.
      await damage((segment) => {
        const content = segment.findLastIndex((byte) => byte !== 0) + 1;
        const end = Math.ceil(content / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
        segment.copy(segment, end, FIRST_RECORD, FIRST_RECORD + TORN_BYTES);
      });
      await group.startMember(victim);
      await group.caughtUp(victim);
      expect(await group.log(victim)).toContain('Cut a torn tail off the log');
      const { items } = await group.client([victim]).range({ key: 'k/', rangeEnd: 'k0', serializable: true });
      expect(items).toHaveLength(WRITES);
    },
    TIMEOUT_MS,
  );

  it(
    'stops with a clear message, file and place, when anything on its disk is not what was written',
    async () => {
      await group.startMember(victim, { RINGLEADER_RAFT_SNAPSHOT_ENTRIES: String(WRITES) });
      const directory = join(group.dataDirectory(victim), 'raft');
      const named = async (ending: RegExp): Promise<string | undefined> =>
        (await readdir(directory)).find((name) => ending.test(name));
      await until('a snapshot', async () => (await named(/\.snapshot$/)) !== undefined, WAIT);
      await group.kill9(victim);
      for (const [ending, what] of [
        [/^0.*1\.log$/, 'value-0'],
        [/\.snapshot$/, 'value-0'],
        [/^identity$/, '"id"'],
      ] as const) {
        const path = join(directory, (await named(ending)) ?? '');
        const written = await readFile(path);
        const damaged = Buffer.from(written);
        const position = damaged.indexOf(what);
        damaged.writeUInt8(damaged.readUInt8(position) ^ 1, position);
        await writeFile(path, damaged);
        await group.startMember(victim);
        expect(await group.exited(victim)).toEqual({ code: EXIT_DO_NOT_RESTART, signal: null });
        const [last] = (await group.log(victim)).trimEnd().split('\n').slice(-1);
        expect(JSON.parse(last ?? '')).toMatchObject({ level: 'fatal', code: 'LOG_CORRUPT' });
        expect(last).toMatch(
          new RegExp(`is corrupt in ${path} at byte \\d+: .*checksum.*Keep the directory`),
        );
        await writeFile(path, written);
      }
      await group.startMember(victim);
      await group.caughtUp(victim);
    },
    TIMEOUT_MS,
  );

  it(
    'ends for good when its snapshot, in order for itself, is not what the others have',
    async () => {
      await group.startMember(victim, { RINGLEADER_RAFT_SNAPSHOT_ENTRIES: String(WRITES) });
      const directory = join(group.dataDirectory(victim), 'raft');
      const hasSnapshot = async (): Promise<boolean> =>
        (await readdir(directory)).some((name) => name.endsWith('.snapshot'));
      await until('a snapshot', hasSnapshot, WAIT);
      await group.kill9(victim);
      const { storage } = await openLogStorage({ directory });
      const snapshot = await storage.openNewestSnapshot();
      const stored = await Promise.all(snapshot!.chunks.map((chunk) => chunk.read()));
      await snapshot!.close();
      const store = storeOf(stored);
      const value = Buffer.from('what nobody wrote');
      const put = { kind: 'put', key: 'k/0', value, lease: 0, wantsPrevious: false } as const;
      store.apply({ kind: 'txn', compare: [], success: [put], failure: [] }, 1);
      await storage.saveSnapshot({ ...snapshot!, chunks: [...snapshotOf(store)] });
      await storage.close();

      await group.startMember(victim, { RINGLEADER_HASH_INTERVAL_MS: '200' });
      expect(await group.exited(victim)).toEqual({ code: EXIT_DO_NOT_RESTART, signal: null });
      const refusal = { level: 'fatal', code: 'STORE_CORRUPT' };
      const lastWords = async (): Promise<unknown> =>
        JSON.parse((await group.log(victim)).trimEnd().split('\n').at(-1) ?? '');
      expect(await lastWords()).toMatchObject(refusal);
      await group.startMember(victim);
      expect(await group.exited(victim)).toEqual({ code: EXIT_DO_NOT_RESTART, signal: null });
      const others = group.members.filter((member) => member !== victim);
      const isKnown = async (): Promise<boolean> =>
        (await group.client(others).members()).members.some(
          ({ name, corrupt }) => name === `coordinator-${victim}` && corrupt === true,
        );
      await until('the others know', isKnown, WAIT);
    },
    TIMEOUT_MS,
  );

  it(
    'refuses a log that another process has open',
    async () => {
      await group.startMember(victim);
      await group.caughtUp(victim);
      await group.startMember(victim);
      expect(await group.exited(victim)).toEqual({ code: 1, signal: null });
      expect(await group.log(victim)).toContain('LOG_IN_USE');
    },
    TIMEOUT_MS,
  );
});
