import { createHash, randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { access, constants, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { tryLockFile } from '@ringleader/file-lock';
import { ServerProcessError } from './child.js';
import { until } from './until.js';

const run = promisify(execFile);

export interface NatsRelease {
  readonly version: string;
  readonly baseUrl: string;
  /** SHA-256 of the archive, by `platform-architecture`. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** Checksums as published in the release's SHA256SUMS (taken from cashapp/hermit-packages, which mirrors that file). */
const OFFICIAL_RELEASE: NatsRelease = {
  version: '2.10.26',
  baseUrl: 'https://github.com/nats-io/nats-server/releases/download',
  checksums: {
    'linux-amd64': '6cbac67107e69c9e5a352d6f1555027f9da6a6b3fa81cceafefa9598b4451512',
    'linux-arm64': 'aba1b169f18d4441b4b5d760805c562dccc57b425a7a213a82753a2269a27235',
    'darwin-amd64': 'c90e94a1a9537304ab59f9056baca6a3138d17c13d7fe218ccbbd24ca08ee8e9',
    'darwin-arm64': 'b1e2fd61507703ee81b0b2c1c35894beeebf908ddc7a4a5b7928aca438f716e6',
  },
};

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface LocateNatsServerOptions {
  /** The PATH of the environment. */
  readonly searchPath: string | undefined;
  /** Where downloaded programs are kept. */
  readonly toolsDir: string;
  readonly release?: NatsRelease;
  readonly unpackPackage?: (folder: string) => Promise<string>;
}

/**
 * Finds nats-server: on PATH, then as unpacked here before, then Debian's package, then the official release.
 * A download is unpacked aside and moved in place whole, by one process at a time.
 */
export async function locateNatsServer(options: LocateNatsServerOptions): Promise<string> {
  const { searchPath = '', toolsDir } = options;
  // Debian puts servers into sbin, which is not on every user's PATH.
  const folders = [...searchPath.split(delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin'];
  const installed = await firstExecutable(folders.map((folder) => join(folder, 'nats-server')));
  const found = installed ?? (await unpacked(toolsDir));
  if (found !== undefined) return found;
  return exclusively(toolsDir, async () => (await unpacked(toolsDir)) ?? obtain(options));
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  const found = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.find((_path, i) => found[i]);
}

const home = (toolsDir: string): string => join(toolsDir, 'nats-server');

function unpacked(toolsDir: string): Promise<string | undefined> {
  return firstExecutable([join(home(toolsDir), 'usr/sbin/nats-server'), join(home(toolsDir), 'nats-server')]);
}

async function obtain(options: LocateNatsServerOptions): Promise<string> {
  const { toolsDir, release = OFFICIAL_RELEASE, unpackPackage = unpackDebianPackage } = options;
  const failures: Error[] = [];
  for (const source of [unpackPackage, (folder: string) => unpackNatsRelease(folder, release)]) {
    const folder = join(toolsDir, `unpacking-${randomUUID()}`);
    try {
      await mkdir(folder);
      const program = await source(folder);
      await run(program, ['--version']);
      await rm(home(toolsDir), { recursive: true, force: true });
      await rename(folder, home(toolsDir));
      return join(home(toolsDir), relative(folder, program));
    } catch (error) {
      failures.push(error as Error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new ServerProcessError(
    `nats-server is missing: it is not on PATH. ${failures.map((failure) => failure.message).join(' ')} ` +
      'Install it (https://nats.io/download) and start again.',
    { cause: new AggregateError(failures) },
  );
}

async function exclusively<T>(toolsDir: string, action: () => Promise<T>): Promise<T> {
  const take = () => tryLockFile(join(toolsDir, 'nats-server.lock'));
  const first = mkdir(toolsDir, { recursive: true }).then(take);
  let attempt = await first.catch((error: unknown) => {
    const reason = (error as Error).message;
    throw new ServerProcessError(
      `nats-server is not on PATH, and ${toolsDir} cannot hold one: ${reason}. Install it, or use a clone of your own.`,
      { cause: error },
    );
  });
  await until(
    'waiting for another process that fetches nats-server',
    async () => attempt.kind === 'taken' || (attempt = await take()).kind === 'taken',
    { timeoutMs: 300_000, everyMs: 100 },
  );
  try {
    return await action();
  } finally {
    if (attempt.kind === 'taken') await attempt.lock.release();
  }
}

/** Debian's package, unpacked without installing it: no root, no daemon. Gives the program's path. */
async function unpackDebianPackage(folder: string): Promise<string> {
  const download = () => run('apt-get', ['download', 'nats-server'], { cwd: folder, timeout: 120_000 });
  try {
    await download().catch(async (error: unknown) => {
      // Package lists may be missing or old; only root may fetch them.
      if (process.getuid?.() !== 0) throw error;
      await run('apt-get', ['update', '-qq'], { timeout: 180_000 });
      await download();
    });
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded nothing');
    await run('dpkg-deb', ['-x', join(folder, archive), folder]);
  } catch (error) {
    throw new ServerProcessError('Debian has no nats-server package for this machine.', { cause: error });
  }
  return join(folder, 'usr/sbin/nats-server');
}

async function fetchArchive(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) }).catch((error: unknown) => {
    throw new ServerProcessError(`nats-server could not be downloaded from ${url}.`, { cause: error });
  });
  if (!response.ok)
    throw new ServerProcessError(`nats-server could not be downloaded: ${url} answered ${response.status}.`);
  return Buffer.from(await response.arrayBuffer());
}

/** Downloads the release's archive, checks it and unpacks it into `folder`; gives the program's path. */
export async function unpackNatsRelease(
  folder: string,
  release: NatsRelease,
  platform = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`,
): Promise<string> {
  const expected = release.checksums[platform];
  if (expected === undefined) {
    const advice = 'install it and put it on PATH';
    throw new ServerProcessError(`There is no pinned release of nats-server for ${platform}: ${advice}.`);
  }
  const name = `nats-server-v${release.version}-${platform}`;
  const archive = await fetchArchive(`${release.baseUrl}/v${release.version}/${name}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) {
    throw new ServerProcessError(
      `The downloaded ${name}.tar.gz has the checksum ${actual}, not ${expected}: it was not used.`,
    );
  }
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.tar.gz`);
  await writeFile(file, archive);
  await run('tar', ['-xzf', file, '-C', folder, '--strip-components=1']);
  return join(folder, 'nats-server');
}
