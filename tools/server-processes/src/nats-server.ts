import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { tryLock } from './lock-file.js';
import { unpackNatsDebianPackage } from './nats-debian.js';
import { OFFICIAL_NATS_RELEASE, unpackNatsRelease, type NatsRelease } from './nats-release.js';
import { ServerProcessError } from './server-process-error.js';
import { until } from './until.js';

const run = promisify(execFile);

export interface LocateNatsServerOptions {
  /** The PATH of the environment. */
  readonly searchPath: string | undefined;
  /** Where downloaded programs are kept. */
  readonly toolsDir: string;
  readonly release?: NatsRelease;
  readonly unpackPackage?: (folder: string) => Promise<string>;
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function onPath(searchPath: string | undefined): Promise<string | undefined> {
  // Debian puts servers into sbin, which is not on every user's PATH.
  const folders = [
    ...(searchPath ?? '').split(delimiter).filter((folder) => folder !== ''),
    '/usr/sbin',
    '/usr/local/sbin',
  ];
  for (const folder of folders) {
    const candidate = join(folder, 'nats-server');
    if (await executable(candidate)) return candidate;
  }
  return undefined;
}

/**
 * Finds nats-server: on PATH, then as unpacked here before, then Debian's package, then the official release.
 * A download is unpacked aside and moved in place whole, by one process at a time.
 */
export async function locateNatsServer(options: LocateNatsServerOptions): Promise<string> {
  const installed = (await onPath(options.searchPath)) ?? (await unpacked(options.toolsDir));
  if (installed !== undefined) return installed;
  await mkdir(options.toolsDir, { recursive: true }).catch((error: unknown) => {
    throw new ServerProcessError(
      `nats-server is not on PATH, and ${options.toolsDir} cannot hold one: ${(error as Error).message}.`,
      { cause: error },
    );
  });
  return exclusively(join(options.toolsDir, 'nats-server.lock'), async () => {
    const meanwhile = await unpacked(options.toolsDir);
    return meanwhile ?? obtain(options);
  });
}

function home(toolsDir: string): string {
  return join(toolsDir, 'nats-server');
}

async function unpacked(toolsDir: string): Promise<string | undefined> {
  const candidates = [join(home(toolsDir), 'usr/sbin/nats-server'), join(home(toolsDir), 'nats-server')];
  for (const candidate of candidates) if (await executable(candidate)) return candidate;
  return undefined;
}

async function obtain(options: LocateNatsServerOptions): Promise<string> {
  const { toolsDir, release = OFFICIAL_NATS_RELEASE, unpackPackage = unpackNatsDebianPackage } = options;
  const failures: Error[] = [];
  for (const source of [unpackPackage, (folder: string) => unpackNatsRelease(folder, release)]) {
    const folder = join(toolsDir, `unpacking-${randomUUID()}`);
    try {
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

async function exclusively<T>(path: string, action: () => Promise<T>): Promise<T> {
  let attempt = await tryLock(path);
  await until(
    'waiting for another process that fetches nats-server',
    async () => attempt.kind === 'taken' || (attempt = await tryLock(path)).kind === 'taken',
    { timeoutMs: 300_000, everyMs: 100 },
  );
  try {
    return await action();
  } finally {
    if (attempt.kind === 'taken') await attempt.lock.release();
  }
}
