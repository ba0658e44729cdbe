import { createHash, randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { tryLockFile } from '@ringleader/file-lock';
import { StartError } from './child.js';
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
  const home = join(toolsDir, 'nats-server');
  // Debian puts servers into sbin, which is not on every user's PATH.
  const system = [...searchPath.split(delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin'];
  const find = () => [...system, join(home, 'usr/sbin'), home].map(programIn).find(isExecutable);
  return find() ?? exclusively(toolsDir, async () => find() ?? obtain(home, options));
}

const programIn = (folder: string): string => join(folder, 'nats-server');

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function obtain(home: string, options: LocateNatsServerOptions): Promise<string> {
  const { toolsDir, release = OFFICIAL_RELEASE, unpackPackage = unpackDebianPackage } = options;
  const failures: Error[] = [];
  for (const source of [unpackPackage, (folder: string) => unpackNatsRelease(folder, release)]) {
    const folder = join(toolsDir, `unpacking-${randomUUID()}`);
    try {
      await mkdir(folder);
      const program = await source(folder);
      await run(program, ['--version']);
      await rm(home, { recursive: true, force: true });
      await rename(folder, home);
      return join(home, relative(folder, program));
    } catch (error) {
      failures.push(error as Error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const tried = failures.map((failure) => failure.message).join(' ');
  throw new StartError(
    `nats-server is missing: it is not on PATH. ${tried} Install it (https://nats.io/download) and start again.`,
    { cause: new AggregateError(failures) },
  );
}

async function exclusively<T>(toolsDir: string, action: () => Promise<T>): Promise<T> {
  const take = () => tryLockFile(join(toolsDir, 'nats-server.lock'));
  const first = mkdir(toolsDir, { recursive: true }).then(take);
  let attempt = await first.catch((error: unknown) => {
    const reason = (error as Error).message;
    throw new StartError(
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
    await run('dpkg-deb', ['-x', join(folder, archive ?? 'nothing.deb'), folder]);
  } catch (error) {
    throw new StartError('Debian has no nats-server package for this machine.', { cause: error });
  }
  return programIn(join(folder, 'usr/sbin'));
}

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

/** Downloads the release's archive, checks it and unpacks it into `folder`; gives the program's path. */
export async function unpackNatsRelease(
  folder: string,
  { version, baseUrl, checksums }: NatsRelease,
  platform = `${process.platform}-${ARCHITECTURE}`,
): Promise<string> {
  const expected = checksums[platform];
  if (expected === undefined) throw new StartError(`There is no pinned release for ${platform}.`);
  const url = `${baseUrl}/v${version}/nats-server-v${version}-${platform}.tar.gz`;
  const archive = await fetchBytes(url).catch((error: unknown) => {
    throw new StartError(`${url} could not be downloaded: ${(error as Error).message}.`, { cause: error });
  });
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected)
    throw new StartError(`${url} has the checksum ${actual}, not ${expected}: it was not used.`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'release.tar.gz');
  await writeFile(file, archive);
  await run('tar', ['-xzf', file, '-C', folder, '--strip-components=1']);
  return programIn(folder);
}

async function fetchBytes(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}
