import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ServerProcessError } from './server-process-error.js';

const run = promisify(execFile);

async function aptDownload(folder: string): Promise<void> {
  const download = () => run('apt-get', ['download', 'nats-server'], { cwd: folder, timeout: 120_000 });
  try {
    await download();
  } catch (error) {
    // Package lists may be missing or old; only root may fetch them.
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update', '-qq'], { timeout: 180_000 });
    await download();
  }
}

/** Debian's package, unpacked without installing it: no root, no daemon. Gives the program's path. */
export async function unpackNatsDebianPackage(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  try {
    await aptDownload(folder);
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded nothing');
    await run('dpkg-deb', ['-x', join(folder, archive), folder]);
  } catch (error) {
    throw new ServerProcessError('Debian has no nats-server package for this machine.', { cause: error });
  }
  return join(folder, 'usr/sbin/nats-server');
}
