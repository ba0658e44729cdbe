/** On real file systems of 64 MB, one for each coordinator: what is written fills their logs' segments, and a file all the rest. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COORDINATOR_VALUE_LENGTH_MAX, OperationalError, prefixRange } from '@ringleader/contracts';
import type { MemberId } from '@ringleader/primitives';
import { freePort, until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';

const TIMEOUT_MS = 60_000;
const DISK_MIB = 64;
/** Nearly half a megabyte in a transaction. */
const PUTS = Array.from({ length: 7 }, (_, i) => ({
  ...{ kind: 'put' as const, key: `k/${i}`, value: 'x'.repeat(COORDINATOR_VALUE_LENGTH_MAX / 2) },
}));

async function mount(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', directory], { stdio: 'pipe' });
}
const unmount = (directory: string): void => {
  execFileSync('umount', ['-l', directory]);
};

/** Why there are no small file systems here; null where there are. */
async function obstacle(): Promise<string | null> {
  const directory = await mkdtemp(join(tmpdir(), 'mounting-'));
  try {
    await mount(directory);
    unmount(directory);
    return null;
  } catch (error) {
    return `mounting a tmpfs failed: ${String(error)}`;
  } finally {
    await rmdir(directory);
  }
}
const reason = await obstacle();
// eslint-disable-next-line no-restricted-properties -- only who may mount has small disks, and the name says why it is skipped
const suite = reason === null ? describe : describe.skip;

suite(`coordinators whose disks are full${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  let group: CoordinatorGroup;
  const ports = new Map<MemberId, number>();

  beforeAll(async () => {
    group = await CoordinatorGroup.start({}, async (member, directory) => {
      await mount(directory);
      const port = await freePort();
      ports.set(member, port);
      return { RINGLEADER_PROBE_PORT: String(port) };
    });
  }, TIMEOUT_MS);

  afterAll(async () => {
    for (const member of group.members) unmount(group.dataDirectory(member));
    await group.stop();
  }, TIMEOUT_MS);

  const filler = (member: MemberId): string => join(group.dataDirectory(member), 'filler');
  /** All that is free. */
  const fill = async (member: MemberId): Promise<void> => {
    const file = await open(filler(member), 'w');
    const block = Buffer.alloc(64 * 1024);
    for (let isFull = false; !isFull;) {
      isFull = await file.write(block).then(
        ({ bytesWritten }) => bytesWritten < block.length,
        (error: NodeJS.ErrnoException) => error.code === 'ENOSPC',
      );
    }
    await file.close();
  };
  const write = async (timeoutMs = 10_000): Promise<void> => {
    await group.client().txn({ compare: [], success: PUTS, failure: [] }, { timeoutMs });
  };
  const isReady = async (member: MemberId): Promise<unknown> => {
    const readiness = await fetch(`http://127.0.0.1:${ports.get(member) ?? 0}/readyz`);
    return readiness.ok ? true : readiness.text();
  };
  const saysFull = async (member: MemberId): Promise<boolean> =>
    /diskFull/.test(String(await isReady(member)));

  it(
    'a leader hands over, the others go on, and it catches up by itself when there is room',
    async () => {
      const leader = await group.leader();
      const others = group.members.filter((member) => member !== leader);
      await fill(leader);
      while (!(await saysFull(leader))) await write();
      const next = await group.leader(others);
      expect(next).not.toBe(leader);
      for (let i = 0; i < 4; i += 1) await write();
      const behind = (await group.status(leader))?.appliedIndex ?? 0;
      expect((await group.status(next))?.appliedIndex).toBeGreaterThan(behind);
      await rm(filler(leader));
      await group.caughtUp(leader);
      await until('readiness', async () => (await isReady(leader)) === true, WAIT);
    },
    TIMEOUT_MS,
  );

  it(
    'who watches at one of them hears of what the others write',
    async () => {
      const leader = await group.leader();
      const others = group.members.filter((member) => member !== leader);
      const [full = 0] = others;
      const client = group.client([...others, leader]);
      let heard = 0;
      const watch = client.watch(
        { ...prefixRange('k/'), fromRevision: 1 },
        { onEvents: (_, revision) => (heard = revision) },
      );
      await until('events', () => heard > 0, WAIT);
      await fill(full);
      while (!(await saysFull(full))) await write();
      await write();
      const { items } = await group.client([leader]).range({ key: 'k/0' });
      const written = items[0]?.modRevision ?? Infinity;
      await until('what was written', () => heard >= written, WAIT);
      watch.cancel();
      await rm(filler(full));
      await group.caughtUp(full);
      await until('readiness', async () => (await isReady(full)) === true, WAIT);
    },
    TIMEOUT_MS,
  );

  it(
    'all of them answer reads, refuse writes with DISK_FULL, and recover',
    async () => {
      await Promise.all(group.members.map(fill));
      const outcome = async (): Promise<string> => {
        const code = await write(1_500).then(
          () => 'written',
          (error: unknown) => (error instanceof OperationalError ? error.code : String(error)),
        );
        // While some are full and others not, a write may fail for want of a majority.
        expect(['written', 'UNAVAILABLE', 'OUTCOME_UNKNOWN', 'DEADLINE_EXCEEDED', 'DISK_FULL']).toContain(
          code,
        );
        return code;
      };
      await until('DISK_FULL', async () => (await outcome()) === 'DISK_FULL', WAIT);
      const { items } = await group.client().range({ key: 'k/0' }, { timeoutMs: 5_000 });
      expect(items).toHaveLength(1);
      await Promise.all(group.members.map((member) => rm(filler(member))));
      // Members look for room once a second.
      await until('a write', async () => (await outcome()) === 'written', WAIT);
      for (const member of group.members) await group.caughtUp(member);
      for (const member of group.members)
        await until('readiness', async () => (await isReady(member)) === true, WAIT);
    },
    TIMEOUT_MS,
  );
});
