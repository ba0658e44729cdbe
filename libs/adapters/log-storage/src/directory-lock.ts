/**
 * Keeps a second process off the directory. Each claims it with a file of its own, named after the process, and only then looks
 * for the claims of others: of two that start at once, at least one sees the other. Claims of the dead are removed. A process is known
 * by its id and, where the system tells, the time it started, because ids are used again (in a container they nearly always are).
 */
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorCode, logInUse } from './storage-errors.js';

interface Claim {
  readonly pid: number;
  readonly startedAt: string;
}

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Claims within this process, where the files cannot tell one owner from another. */
const heldHere = new Set<string>();

export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const directory = resolve(path);
  if (heldHere.has(directory)) throw logInUse(directory, process.pid);
  heldHere.add(directory);
  const own: Claim = { pid: process.pid, startedAt: (await startTime(process.pid)) ?? 'unknown' };
  const claim = join(directory, claimName(own));
  const release = async (): Promise<void> => {
    await rm(claim, { force: true });
    heldHere.delete(directory);
  };
  try {
    await writeFile(claim, '');
    const holder = await findHolder(directory, own);
    if (holder !== null) throw logInUse(directory, holder.pid);
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function findHolder(directory: string, own: Claim): Promise<Claim | null> {
  for (const name of await readdir(directory)) {
    const claim = parseClaim(name);
    if (claim === null || claimName(claim) === claimName(own)) continue;
    if (await isAlive(claim)) return claim;
    await rm(join(directory, name), { force: true });
  }
  return null;
}

function claimName({ pid, startedAt }: Claim): string {
  return `lock.${String(pid)}.${startedAt}`;
}

function parseClaim(name: string): Claim | null {
  const match = /^lock\.(\d+)\.(\w+)$/.exec(name);
  return match === null ? null : { pid: Number(match[1]), startedAt: match[2]! };
}

async function isAlive({ pid, startedAt }: Claim): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if (errorCode(error) === 'ESRCH') return false;
  }
  const now = await startTime(pid);
  return now === null || startedAt === 'unknown' || now === startedAt;
}

/** In clock ticks since boot; null where the system has no /proc, or the process has ended. */
async function startTime(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'latin1');
    // The second field, the command's name in parentheses, may contain anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return null;
    throw error;
  }
}
