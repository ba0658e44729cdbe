import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openOutput } from './output.js';

describe('openOutput', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-output-'));
    path = join(dir, 'out');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('leaves what the name has until all is there', async () => {
    await writeFile(path, 'before', { mode: 0o640 });
    const output = await openOutput(path);
    await output.write('after');
    expect(await readFile(path, 'utf8')).toBe('before');
    await output.complete();
    expect(await readFile(path, 'utf8')).toBe('after');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(dir)).toEqual(['out']);
  });

  it.each(['a file that is there', 'a new one'])(
    'leaves nothing behind when it is given up: %s',
    async (what) => {
      if (what !== 'a new one') await writeFile(path, 'before');
      const output = await openOutput(path);
      await output.write('half of it');
      await output.discard();
      expect(await readdir(dir)).toEqual(what === 'a new one' ? [] : ['out']);
      if (what !== 'a new one') expect(await readFile(path, 'utf8')).toBe('before');
    },
  );

  it('replaces what a link points to, not the link', async () => {
    await writeFile(join(dir, 'target'), 'before');
    await symlink('target', path);
    const output = await openOutput(path);
    await output.write('after');
    await output.complete();
    expect(await readlink(path)).toBe('target');
    expect(await readFile(join(dir, 'target'), 'utf8')).toBe('after');
  });

  it('compresses where the name says so', async () => {
    const output = await openOutput(`${path}.gz`);
    const line = `${'x'.repeat(1_000)}\n`;
    for (let i = 0; i < 5_000; i += 1) await output.write(line);
    await output.complete();
    expect(gunzipSync(await readFile(`${path}.gz`)).toString()).toBe(line.repeat(5_000));
  });

  it('writes into a device, which has nothing to replace', async () => {
    const output = await openOutput('/dev/null');
    await output.write('x');
    await output.complete();
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it.each([
    ['a folder that is not there', 'none/out'],
    ['a folder', 'folder'],
  ])('says in one sentence that it cannot be written: %s', async (_, name) => {
    await mkdir(join(dir, 'folder'));
    await expect(openOutput(join(dir, name))).rejects.toThrow(/^The export stopped, .* cannot be written: /);
  });

  it.each(['/dev/full', '/dev/full.gz'])('says so when the disk is full', async (target) => {
    if (target.endsWith('.gz')) await symlink('/dev/full', (path = join(dir, 'full.gz')));
    else path = target;
    const output = await openOutput(path);
    const attempt = async (): Promise<void> => {
      for (let i = 0; i < 100; i += 1) await output.write('y'.repeat(100_000));
      await output.complete();
    };
    await expect(attempt()).rejects.toThrow(/No space|ENOSPC|no space/);
    await output.discard();
  });
});
