import { tryLockFile } from '@ringleader/file-lock';
import { StartError } from '@ringleader/server-processes';
import { mkdir, mkdtemp, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { endLeftovers } from './state-file.js';

/** A fresh cluster takes about 60 MB for each shard; with less than this it would soon stop in the middle of a write. */
const FREE_MB_PER_SHARD = 128;
const MB = 1024 * 1024;
const LOG_ROTATION_BYTES = 16 * MB;
const EPHEMERAL_PREFIX = 'ringleader-ephemeral-';
const UNCLAIMED_PREFIX = 'ringleader-unclaimed-';
const GONE = '.gone';

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

/** The folder is ours alone until its release, and nothing of an earlier cluster runs on it any more. */
async function claim(path: string): Promise<Pick<DataFolder, 'endedLeftovers' | 'release'>> {
  const attempt = await tryLockFile(join(path, 'lock'));
  if (attempt.kind === 'held') {
    const advice = 'stop it first, or choose another folder with --data';
    throw new StartError(`A cluster runs on ${path} already (${attempt.holder}): ${advice}.`);
  }
  const release = (): Promise<void> => attempt.lock.release();
  try {
    return { endedLeftovers: await endLeftovers(path), release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function prepare(folder: Omit<DataFolder, 'logs'>, shards: number): Promise<DataFolder> {
  const logs = join(folder.path, 'logs');
  try {
    await makeFolder(logs);
    await proveRoom(folder.path, shards);
    await rotateLogs(logs);
    return { ...folder, logs };
  } catch (error) {
    await folder.release();
    throw error;
  }
}

/** The system's errors in a person's words. */
async function inWords<T>(path: string, opening: () => Promise<T>): Promise<T> {
  try {
    return await opening();
  } catch (error) {
    if (error instanceof StartError) throw error;
    const { errno, message } = error as NodeJS.ErrnoException;
    throw unfit(path, (errno !== undefined && getSystemErrorMessage(errno)) || message, error);
  }
}

export function openDataFolder(path: string, shards: number): Promise<DataFolder> {
  return inWords(path, async () => {
    await makeFolder(path);
    return prepare({ path, ...(await claim(path)) }, shards);
  });
}

/** Under another name first: who looked for leftovers meanwhile would make its lock anew while it is removed. */
async function discard(path: string): Promise<void> {
  const gone = `${path}${GONE}`;
  await rename(path, gone);
  await rm(gone, { recursive: true, force: true });
}

/** Removes what a killed cluster left behind; nothing is written there, where the disk may be full. */
async function clearLeftover(path: string): Promise<readonly string[]> {
  try {
    if (path.endsWith(GONE)) {
      await rm(path, { recursive: true, force: true });
      return [];
    }
    const { endedLeftovers, release } = await claim(path);
    await discard(path).finally(release);
    return endedLeftovers;
  } catch {
    // One that is used, or another user's: not ours to clear.
    return [];
  }
}

/** A folder that lives as long as its cluster; those that a killed cluster left behind are removed on the way. */
export async function openEphemeralFolder(shards: number): Promise<DataFolder> {
  const place = tmpdir();
  return inWords(place, async () => {
    const others = (await readdir(place)).filter((name) => name.startsWith(EPHEMERAL_PREFIX));
    const cleared = await Promise.all(others.map((name) => clearLeftover(join(place, name))));
    const made = await mkdtemp(join(place, UNCLAIMED_PREFIX));
    const { release: unlock } = await claim(made).catch(async (error: unknown) => {
      await rm(made, { recursive: true, force: true });
      throw error;
    });
    // Only now, for others clear away what nobody has locked under this name.
    const path = join(place, basename(made).replace(UNCLAIMED_PREFIX, EPHEMERAL_PREFIX));
    await rename(made, path);
    const release = (): Promise<void> => discard(path).finally(unlock);
    return prepare({ path, endedLeftovers: cleared.flat(), release }, shards);
  });
}
