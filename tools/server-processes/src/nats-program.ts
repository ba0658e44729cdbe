import { tryLockFile } from '@ringleader/file-lock';
import { execFile } from 'node:child_process';
import { hash, randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from './child.js';
import { until } from './until.js';

const run = promisify(execFile);

/** Puts nats-server into a new folder, and gives the program's path. */
export type Source = (folder: string) => Promise<string>;

export interface LocateNatsServerOptions {
  /** The PATH of the environment. */
  readonly searchPath: string | undefined;
  /** Where downloaded programs are kept. */
  readonly toolsDir: string;
  readonly sources?: readonly Source[];
}

/**
 * Finds nats-server: on PATH, then as unpacked here before, then Debian's package, then the official release.
 * A download is unpacked aside and moved in place whole, by one process at a time.
 */
export async function locateNatsServer(options: LocateNatsServerOptions): Promise<string> {
  const { searchPath = '', toolsDir, sources = [debianPackage, releaseOf(OFFICIAL_RELEASE)] } = options;
  const home = join(toolsDir, 'nats-server');
  // Debian puts servers into sbin, which is not on every user's PATH.
  const system = [...searchPath.split(delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin'];
  const find = () => [...system, join(home, 'usr/sbin'), home].map(programIn).find(isExecutable);
  return find() ?? exclusively(toolsDir, async () => find() ?? obtain(home, toolsDir, sources));
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

async function exclusively<T>(toolsDir: string, action: () => Promise<T>): Promise<T> {
  const take = () => tryLockFile(join(toolsDir, 'nats-server.lock'));
  const first = mkdir(toolsDir, { recursive: true }).then(take);
  let attempt = await first.catch((cause: unknown) => {
    const reason = `${toolsDir} cannot hold one: ${(cause as Error).message}`;
    const advice = 'Install it, or use a clone of your own.';
    throw new StartError(`nats-server is not on PATH, and ${reason}. ${advice}`, { cause });
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

async function obtain(home: string, toolsDir: string, sources: readonly Source[]): Promise<string> {
  const failures: Error[] = [];
  for (const source of sources) {
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
  const tried = failures.map(({ message }) => message).join(' ');
  const advice = 'Install it (https://nats.io/download) and start again.';
  const cause = new AggregateError(failures);
  throw new StartError(`nats-server is missing: it is not on PATH. ${tried} ${advice}`, { cause });
}

/** Debian's package, unpacked without installing it: no root, no daemon. */
const debianPackage: Source = async (folder) => {
  const download = () => run('apt-get', ['download', 'nats-server'], { cwd: folder, timeout: 120_000 });
  try {
    await download().catch(async (error: unknown) => {
      // Package lists may be missing or old; only root may fetch them.
      if (process.getuid?.() !== 0) throw error;
      await run('apt-get', ['update', '-qq'], { timeout: 180_000 });
      await download();
    });
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb')) ?? '';
    await run('dpkg-deb', ['-x', join(folder, archive), folder]);
  } catch (cause) {
    throw new StartError('Debian has no nats-server package for this machine.', { cause });
  }
  return programIn(join(folder, 'usr/sbin'));
};

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
    'linux-x64': '6cbac67107e69c9e5a352d6f1555027f9da6a6b3fa81cceafefa9598b4451512',
    'linux-arm64': 'aba1b169f18d4441b4b5d760805c562dccc57b425a7a213a82753a2269a27235',
    'darwin-x64': 'c90e94a1a9537304ab59f9056baca6a3138d17c13d7fe218ccbbd24ca08ee8e9',
    'darwin-arm64': 'b1e2fd61507703ee81b0b2c1c35894beeebf908ddc7a4a5b7928aca438f716e6',
  },
};

/** The archive of a release, for this machine, if it has the checksum that is pinned. */
export function releaseOf({ version, baseUrl, checksums }: NatsRelease): Source {
  return async (folder) => {
    const platform = `${process.platform}-${process.arch}`;
    const expected = checksums[platform];
    if (expected === undefined) throw new StartError(`There is no pinned release for ${platform}.`);
    const name = `nats-server-v${version}-${platform.replace('x64', 'amd64')}.tar.gz`;
    const url = `${baseUrl}/v${version}/${name}`;
    const refuse = (reason: string, cause?: unknown) => new StartError(`${url} ${reason}.`, { cause });
    const response = await fetch(url, { signal: AbortSignal.timeout(120_000) }).catch((error: unknown) => {
      throw refuse(`could not be downloaded: ${(error as Error).message}`, error);
    });
    if (!response.ok) throw refuse(`could not be downloaded: the answer was ${response.status}`);
    const archive = Buffer.from(await response.arrayBuffer());
    const actual = hash('sha256', archive);
    if (actual !== expected) throw refuse(`has the checksum ${actual}, not ${expected}: it was not used`);
    await writeFile(join(folder, name), archive);
    await run('tar', ['-xzf', join(folder, name), '-C', folder, '--strip-components=1']);
    return programIn(folder);
  };
}
