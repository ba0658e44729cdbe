import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock } from './lock-file.js';

describe('tryLock', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-lock-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('gives the lock to one of many, and tells the others who has it', async () => {
    const attempts = await Promise.all(Array.from({ length: 8 }, () => tryLock(join(dir, 'lock'))));
    expect(attempts.filter(({ kind }) => kind === 'taken')).toHaveLength(1);
    const held = attempts.find(({ kind }) => kind === 'held');
    expect(held).toEqual({ kind: 'held', holder: { pid: process.pid } });
    expect(await readdir(dir)).toEqual(['lock']);
  });

  it('can be taken again after its release', async () => {
    const first = await tryLock(join(dir, 'lock'));
    if (first.kind === 'taken') await first.lock.release();
    expect((await tryLock(join(dir, 'lock'))).kind).toBe('taken');
  });

  it('takes over from a process that has ended', async () => {
    const { pid } = spawnSync('true');
    for (let round = 0; round < 25; round += 1) {
      const path = join(dir, `lock-${round}`);
      await writeFile(path, `${pid}\nsome boot 123\n`);
      const attempts = await Promise.all(Array.from({ length: 6 }, () => tryLock(path)));
      expect(attempts.filter(({ kind }) => kind === 'taken')).toHaveLength(1);
    }
  });

  it('takes over when the id now belongs to another process', async () => {
    await writeFile(join(dir, 'lock'), `${process.pid}\nanother boot 123\n`);
    expect((await tryLock(join(dir, 'lock'))).kind).toBe('taken');
  });
});
