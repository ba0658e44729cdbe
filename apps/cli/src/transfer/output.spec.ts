import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
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
    ['a descriptor', (fd: number) => `/dev/fd/${String(fd)}`],
    ['the one of this process', (fd: number) => `/proc/self/fd/${String(fd)}`],
    ['a link to one', (fd: number) => linkTo(`/proc/self/fd/${String(fd)}`)],
  ])('writes through %s to a file, behind what is there, and replaces nothing', async (_, nameOf) => {
    const file = await open(join(dir, 'shared'), 'w');
    try {
      await file.write('before,');
      const output = await openOutput(await nameOf(file.fd));
      await output.write('export,');
      await output.complete();
      await file.write('after');
      expect(await readFile(join(dir, 'shared'), 'utf8')).toBe('before,export,after');
      expect((await stat(join(dir, 'shared'))).ino).toBe((await file.stat()).ino);
    } finally {
      await file.close();
    }
  });

  const linkTo = async (target: string): Promise<string> => {
    await symlink(target, path);
    return path;
  };

  it('says so where a descriptor is not open', async () => {
    const attempt = async (): Promise<void> => {
      const output = await openOutput('/dev/fd/987');
      await output.write('x');
      await output.complete();
    };
    await expect(attempt()).rejects.toThrow(/^\/dev\/fd\/987 cannot be written: /);
  });

  it('writes into a named pipe, which has nothing to replace', async () => {
    execFileSync('mkfifo', [path]);
    const reading = readFile(path, 'utf8');
    const output = await openOutput(path);
    await output.write('through');
    await output.complete();
    expect(await reading).toBe('through');
    expect((await stat(path)).isFIFO()).toBe(true);
  });

  it.each([
    ['a folder that is not there', 'none/out'],
    ['a folder', 'folder'],
  ])('says in one sentence that it cannot be written: %s', async (_, name) => {
    await mkdir(join(dir, 'folder'));
    await expect(openOutput(join(dir, name))).rejects.toThrow(/^.* cannot be written: /);
  });

  it.each(['', 'none/'])('does not begin with what is no name of a file: "%s"', async (name) => {
    const openIt = openOutput(name === '' ? name : join(dir, name));
    await expect(openIt).rejects.toThrow(/^".*" is not the name of a file\.$/);
    expect(await readdir(dir)).toEqual([]);
  });

  it.each(['/dev/full', '/dev/full.gz'])('says so when the disk is full', async (target) => {
    if (target.endsWith('.gz')) await symlink('/dev/full', (path = join(dir, 'full.gz')));
    else path = target;
    const output = await openOutput(path);
    const attempt = async (): Promise<void> => {
      for (let i = 0; i < 100; i += 1) await output.write('y'.repeat(100_000));
      await output.complete();
    };
    const sentence = expect.stringMatching(/full(\.gz)? cannot be written: .*ENOSPC/);
    await expect(attempt()).rejects.toMatchObject({ name: 'CliFailure', message: sentence });
    await output.discard();
  });
});
