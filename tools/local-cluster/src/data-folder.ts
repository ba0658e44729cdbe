import { tryLockFile } from '@ringleader/file-lock';
import { StartError } from '@ringleader/server-processes';
import { mkdir, mkdtemp, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { endLeftovers } from './state-file.js';

/** A fresh cluster takes about 60 MB for each shard; with less than this it would soon stop in the middle of a write. */
const FREE_MB_PER_SHARD = 128;
const MB = 1024 * 1024;
const LOG_ROTATION_BYTES = 16 * MB;
const EPHEMERAL_PREFIX = 'ringleader-ephemeral-';

/** The folder with everything a cluster keeps, locked by this process. */
export interface DataFolder {
  readonly path: string;
  readonly logs: string;
  /** Processes of an earlier cluster that were still running here, and were ended. */
  readonly endedLeftovers: readonly string[];
  release(): Promise<void>;
}

function unfit(path: string, reason: string, cause?: unknown): StartError {
  const advice = 'choose another folder with --data';
  return new StartError(`${path} cannot hold the data: ${reason}; ${advice}.`, { cause });
}

/** Like mkdir -p. (Node's own `recursive` reports a read-only file system as a missing folder.) */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

/** Writes and syncs for real: permissions and mount options have too many forms to be asked for. */
async function proveRoom(path: string, shards: number): Promise<void> {
  const probe = join(path, '.probe');
  await writeFile(probe, Buffer.alloc(64 * 1024), { flush: true });
  await rm(probe);
  const { bavail, bsize } = await statfs(path);
  const [freeMb, neededMb] = [Math.floor((bavail * bsize) / MB), shards * FREE_MB_PER_SHARD];
  if (freeMb >= neededMb) return;
  const reason = `the disk has ${freeMb} MB free and ${shards} shards need ${neededMb} MB; make room`;
  throw unfit(path, reason);
}

async function rotateLogs(logs: string): Promise<void> {
  for (const name of await readdir(logs)) {
    const path = join(logs, name);
    if (name.endsWith('.log') && (await stat(path)).size > LOG_ROTATION_BYTES)
      await rename(path, `${path}.1`);
  }
}

export async function openDataFolder(path: string, shards: number): Promise<DataFolder> {
  const logs = join(path, 'logs');
  let release: (() => Promise<void>) | undefined;
  try {
    await makeFolder(path);
    const attempt = await tryLockFile(join(path, 'lock'));
    if (attempt.kind === 'held') {
      const advice = 'stop it first, or choose another folder with --data';
      throw new StartError(`A cluster runs on ${path} already (${attempt.holder}): ${advice}.`);
    }
    release = () => attempt.lock.release();
    const endedLeftovers = await endLeftovers(path);
    await makeFolder(logs);
    await proveRoom(path, shards);
    await rotateLogs(logs);
    return { path, logs, endedLeftovers, release };
  } catch (error) {
    await release?.();
    const { errno, message } = error as NodeJS.ErrnoException;
    if (error instanceof StartError) throw error;
    // The system's errors in a person's words.
    throw unfit(path, (errno !== undefined && getSystemErrorMessage(errno)) || message, error);
  }
}

/** Whose release removes it. */
async function openPassing(path: string, shards: number): Promise<DataFolder> {
  const folder = await openDataFolder(path, shards);
  const release = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    await folder.release();
  };
  return { ...folder, release };
}

/** A folder that lives as long as its cluster; those that a killed cluster left behind are removed on the way. */
export async function openEphemeralFolder(shards: number): Promise<DataFolder> {
  const endedLeftovers: string[] = [];
  const others = (await readdir(tmpdir())).filter((name) => name.startsWith(EPHEMERAL_PREFIX));
  for (const name of others) {
    const left = await openPassing(join(tmpdir(), name), 0).catch((error: unknown) => {
      // One that is used, or another user's: not ours to clear.
      if (!(error instanceof StartError)) throw error;
    });
    endedLeftovers.push(...(left?.endedLeftovers ?? []));
    await left?.release();
  }
  const path = await mkdtemp(join(tmpdir(), EPHEMERAL_PREFIX)).catch((error: unknown) => {
    throw unfit(tmpdir(), (error as Error).message, error);
  });
  return { ...(await openPassing(path, shards)), endedLeftovers };
}
