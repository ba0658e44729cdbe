import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { snapshot, testLog } from '../test/log.fixtures.js';
import { type Disk, nodeDisk } from './disk.js';

const log = testLog();

describe('folders', () => {
  /** What was made, removed and synced, in order. */
  function watchedDisk(calls: string[]): Disk {
    const note = (call: string, path: string): void => {
      calls.push(`${call} ${relative(log.directory, path)}`);
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
    await log.open({ directory: join(log.directory, 'a', 'b', 'c'), disk: watchedDisk(calls) });
    expect(calls.slice(0, 3)).toEqual([`sync ${join('a', 'b')}`, 'sync a', 'sync ']);
  });

  it('have the names on disk that a start finds: the process before may have been killed as it gave one', async () => {
    await log.write(1);
    const calls: string[] = [];
    await log.open({ disk: watchedDisk(calls) });
    expect(calls).toContain('sync ');
  });

  it('that cannot be made are told of at once', async () => {
    const opening = log.open({ directory: join('/proc', 'none', 'raft') });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('lose old segments one after the other: no crash leaves a gap', async () => {
    await log.write(30, 300);
    const calls: string[] = [];
    const { storage } = await log.open({ disk: watchedDisk(calls) });
    await storage.saveSnapshot(snapshot(30, 1));
    calls.length = 0;
    const old = log.segments().slice(0, -1);
    await storage.compact(30);
    expect(old.length).toBeGreaterThan(1);
    expect(calls).toEqual(old.flatMap((name) => [`remove ${name}`, 'sync ']));
  });
});
