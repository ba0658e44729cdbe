import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { locatePostgres, type PostgresPrograms } from './postgres-programs.js';
import { ServerProcessError } from './server-process-error.js';
import { unprivileged, type Unprivileged } from './unprivileged.js';

const run = promisify(execFile);

/** Superuser of the local database and name of the database that initdb makes. */
const USER = 'ringleader';
const DATABASE = 'postgres';

/** A database cluster in a folder: initialised, not necessarily running. */
export interface PostgresCluster {
  readonly dataDir: string;
  readonly password: string;
  readonly programs: PostgresPrograms;
  readonly account: Unprivileged;
}

export interface PostgresCommand {
  readonly command: string;
  readonly args: readonly string[];
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function ensurePassword(dir: string): Promise<string> {
  const path = join(dir, 'password');
  if (!(await exists(path))) {
    await writeFile(`${path}.new`, randomBytes(24).toString('hex'), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
  return readFile(path, 'utf8');
}

async function initialise(dir: string, programs: PostgresPrograms, account: Unprivileged): Promise<void> {
  // Made aside and moved in place whole: an interrupted initdb leaves nothing that looks like a database.
  const fresh = join(dir, 'data.new');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  if (account.owner !== undefined) await chown(fresh, account.owner.uid, account.owner.gid);
  const initdb = [
    programs.initdb,
    `--pgdata=${fresh}`,
    `--username=${USER}`,
    `--pwfile=${join(dir, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
  ];
  const [command = programs.initdb, ...args] = [...account.prefix, ...initdb];
  try {
    await run(command, args, { env: {} });
  } catch (error) {
    const detail =
      (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? (error as Error).message;
    throw new ServerProcessError(`PostgreSQL could not initialise ${join(dir, 'data')}: ${detail}`, {
      cause: error,
    });
  }
  await rename(fresh, join(dir, 'data'));
}

/** Prepares `dir` (its `data` is PostgreSQL's) on first use, and finds what is needed to run a server on it. */
export async function preparePostgres(dir: string, { namespaces = true } = {}): Promise<PostgresCluster> {
  const programs = locatePostgres();
  const account = await unprivileged({ namespaces });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const password = await ensurePassword(dir);
  const dataDir = join(dir, 'data');
  if (account.owner !== undefined) {
    await chown(dir, account.owner.uid, account.owner.gid);
    await chown(join(dir, 'password'), account.owner.uid, account.owner.gid);
  }
  if (!(await exists(join(dataDir, 'PG_VERSION')))) await initialise(dir, programs, account);
  await chmod(dataDir, 0o700);
  return { dataDir, password, programs, account };
}

/** Durability is not negotiable (fsync, synchronous_commit); memory is, on a machine that runs several servers. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '64MB',
  max_wal_size: '1GB',
  min_wal_size: '80MB',
  checkpoint_completion_target: '0.9',
  max_connections: '40',
  max_wal_senders: '0',
  wal_level: 'minimal',
  jit: 'off',
  logging_collector: 'off',
};

export function postgresCommand(cluster: PostgresCluster, port: number): PostgresCommand {
  const settings = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const line = [...cluster.account.prefix, cluster.programs.postgres, '-D', cluster.dataDir, ...settings];
  const [command = cluster.programs.postgres, ...args] = line;
  return { command, args };
}

export function postgresUrl(cluster: PostgresCluster, port: number): string {
  return `postgres://${USER}:${cluster.password}@127.0.0.1:${port}/${DATABASE}`;
}

/**
 * The server writes its state into the eighth line of postmaster.pid: `ready` once it accepts connections, after
 * recovery. (The port listens earlier.) The first line is the writer's process id: a file left by a dead one counts not.
 */
export async function postgresIsReady(cluster: PostgresCluster, pid: number): Promise<boolean> {
  const path = join(cluster.dataDir, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}
