/** A real PostgreSQL on this machine. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { POSTGRES_DURABILITY, postgresSettings, type PostgresRoom } from '@ringleader/contracts';
import {
  commandLine,
  StartError,
  startServer,
  type Child,
  type ChildSpec,
  type LocalServer,
} from './child.js';
import { keptPassword } from './files.js';
import { freePort } from './ports.js';
import { databaseVersion, postgresPrograms, type PostgresPrograms } from './postgres-programs.js';
import { unprivileged, type Unprivileged } from './unprivileged.js';

const run = promisify(execFile);

/** Superuser of the local database and name of the database that initdb makes. */
const USER = 'ringleader';
const DATABASE = 'postgres';

export interface LocalPostgresOptions {
  readonly name: string;
  /** Holds the data, the password and the socket. */
  readonly dir: string;
  readonly logFile: string;
  /** Listens there too, on the loopback interface; without it on a Unix socket only, which is cheaper, where that is possible. */
  readonly port?: number;
  /** Whether a start as root may use a user namespace; the system may refuse them. */
  readonly namespaces?: boolean;
  /** Those that npm brings, if not given. */
  readonly programs?: PostgresPrograms;
}

/** Makes the database on first use: aside, and moved in place whole, so that an interrupted initdb leaves none behind. */
async function initialise(dir: string, initdb: string, { prefix, owner }: Unprivileged): Promise<void> {
  const [secret, fresh] = [join(dir, 'password'), join(dir, 'data.new')];
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  if (owner !== undefined) for (const path of [dir, secret, fresh]) await chown(path, owner.uid, owner.gid);
  const settings = ['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', `--username=${USER}`];
  // So that a page that a disk has changed is found when it is read.
  settings.push('--data-checksums');
  const wanted = [`--pgdata=${fresh}`, `--pwfile=${secret}`, ...settings];
  const line = commandLine({ prefix, command: initdb, args: wanted, orphaned: 'SIGTERM' });
  const [command = initdb, ...args] = line;
  await run(command, args, { cwd: dir, env: {} }).catch((cause: unknown) => {
    const { stderr, message } = cause as { stderr?: string; message: string };
    const detail = stderr?.trim().split('\n').at(-1) ?? message;
    throw new StartError(`PostgreSQL could not initialise ${join(dir, 'data')}: ${detail}`, { cause });
  });
  await rename(fresh, join(dir, 'data'));
}

/** The number only names the socket's file: each server has a folder of its own. */
const SOCKET_PORT = 5432;
/** Longer names of sockets are cut or refused by the system: 108 bytes with a final zero, 104 on macOS. */
const SOCKET_PATH_BYTES_MAX = 103;

const socketFits = (dir: string): boolean =>
  Buffer.byteLength(join(dir, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_BYTES_MAX;

const GIB = 2 ** 30;
/** Of a machine that runs several servers, and more than servers: a sixteenth for each, within bounds. */
const MEMORY_PART = 1 / 16;
const MEMORY_BYTES = { min: GIB / 4, max: GIB } as const;
/** What a database on a developer's disk may grow to before it should have a server of its own. */
const VOLUME_BYTES = 8 * GIB;

/** A container's limit counts, where there is one: the system then tells another size of memory than it has. */
export function roomOf(totalBytes: number, constrainedBytes: number): PostgresRoom {
  const bytes = constrainedBytes > 0 ? Math.min(totalBytes, constrainedBytes) : totalBytes;
  const memoryBytes = Math.min(MEMORY_BYTES.max, Math.max(MEMORY_BYTES.min, bytes * MEMORY_PART));
  return { memoryBytes, volumeBytes: VOLUME_BYTES };
}

function serverArguments(dir: string, port: number | undefined): string[] {
  const settings = {
    ...postgresSettings(roomOf(totalmem(), process.constrainedMemory())),
    ...POSTGRES_DURABILITY,
    listen_addresses: port === undefined ? '' : '127.0.0.1',
    // A list, in which quotes hold names with commas and spaces together.
    unix_socket_directories: socketFits(dir) ? `"${dir.replaceAll('"', '""')}"` : '',
    port: String(port ?? SOCKET_PORT),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', join(dir, 'data'), ...flags];
}

function urlOf(dir: string, password: string, port: number | undefined): string {
  if (port !== undefined) return `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
  const query = new URLSearchParams({ host: dir, port: String(SOCKET_PORT), user: USER, password });
  // %20, not +: not every reader of such a URL takes a plus sign for a space.
  return `postgres:///${DATABASE}?${query.toString().replaceAll('+', '%20')}`;
}

/**
 * The server writes its state into the eighth line of postmaster.pid: `ready` once it accepts connections, after
 * recovery. (The port listens earlier.) The first line is the writer's process id: a file left by a dead one counts not.
 */
async function isReady(dir: string, pid: number): Promise<boolean> {
  const reading = readFile(join(dir, 'data', 'postmaster.pid'), 'utf8');
  const text = await reading.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
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
const REMAINS_TIMEOUT_MS = 60_000;

async function startWithoutRemains(spec: ChildSpec, dir: string): Promise<Child> {
  const deadline = performance.now() + REMAINS_TIMEOUT_MS;
  for (;;) {
    try {
      return await startServer(spec, (pid) => isReady(dir, pid));
    } catch (error) {
      if (!REMAINS.test((error as Error).message) || performance.now() > deadline) throw error;
      await delay(REMAINS_POLL_MS);
    }
  }
}

export async function localPostgres(options: LocalPostgresOptions): Promise<LocalServer> {
  const { name, dir, logFile, namespaces = true } = options;
  const account = await unprivileged({ namespaces });
  const { initdb, postgres } = options.programs ?? (await postgresPrograms());
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const password = keptPassword(join(dir, 'password'));
  const port = options.port ?? (socketFits(dir) ? undefined : await freePort());
  const spec: ChildSpec = {
    name,
    prefix: account.prefix,
    command: postgres,
    args: serverArguments(dir, port),
    cwd: dir,
    logFile,
    // Ends the sessions, writes a checkpoint, stops. (SIGTERM would wait for clients to leave.)
    orphaned: 'SIGINT',
  };
  const url = urlOf(dir, password, port);
  // Once only: a database that is gone later was not meant to begin anew.
  let exists = databaseVersion(dir) !== undefined;
  const launch = async (): Promise<Child> => {
    if (!exists) await initialise(dir, initdb, account);
    exists = true;
    await chmod(join(dir, 'data'), 0o700);
    return startWithoutRemains(spec, dir);
  };
  return { name, ...(port !== undefined && { port }), url, logFile, launch };
}
