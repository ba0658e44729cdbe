import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FileLockAttempt, tryLockFile } from './index.js';

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Another process that holds the lock, and has said so. */
async function otherHolder(): Promise<ChildProcess> {
  const library = createRequire(import.meta.url).resolve('fs-native-extensions');
  const program = `
    const fd = require('node:fs').openSync(process.argv[1], 'a+');
    process.stdout.write(String(require(process.argv[2]).tryLock(fd)));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program, path, library], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(String(said)).toBe('true');
  return child;
}

async function release(attempt: FileLockAttempt): Promise<void> {
  if (attempt.kind === 'held') throw new Error(`it is held by ${attempt.holder}`);
  await attempt.lock.release();
}

describe('a locked file', () => {
  it('is not locked again, not by its own process either, until it is released', async () => {
    const first = await tryLockFile(path);
    const holder = `process ${String(process.pid)} on ${hostname()}`;
    expect(await tryLockFile(path)).toEqual({ kind: 'held', holder });
    await release(first);
    await release(await tryLockFile(path));
  });

  it('is free as soon as its holder is killed', async () => {
    const child = await otherHolder();
    expect(await tryLockFile(path)).toMatchObject({ kind: 'held' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await release(await tryLockFile(path));
  });

  it('is not taken over by the children that its holder starts', async () => {
    const attempt = await tryLockFile(path);
    const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    await release(attempt);
    await release(await tryLockFile(path));
  });
});
