import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { processStart } from './process-identity.js';

/** A lock held by one process; released by its end, however it ends. */
export interface LockFile {
  release(): Promise<void>;
}

export interface LockHolder {
  readonly pid: number;
}

export type LockAttempt =
  | { readonly kind: 'taken'; readonly lock: LockFile }
  | { readonly kind: 'held'; readonly holder: LockHolder };

interface Holder extends LockHolder {
  readonly start: string;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const [pid, start] = text.split('\n');
  return { pid: Number(pid), start: start ?? '' };
}

async function linkOnce(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes the lock or tells who holds it. The file appears complete (written aside, then linked), and names its
 * holder by process id and start time, so that a lock left by a dead process is recognised and taken over.
 */
export async function tryLock(path: string): Promise<LockAttempt> {
  const mine = `${path}.${process.pid}.${randomUUID()}`;
  const taken: LockAttempt = { kind: 'taken', lock: { release: () => rm(path, { force: true }) } };
  await writeFile(mine, `${process.pid}\n${(await processStart(process.pid)) ?? ''}\n`, { mode: 0o600 });
  try {
    for (;;) {
      if (await linkOnce(mine, path)) return taken;
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if ((await processStart(holder.pid)) === holder.start)
        return { kind: 'held', holder: { pid: holder.pid } };
      if (await replaceStale(path, mine, holder)) return taken;
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/**
 * Several processes may find the same stale lock. Whoever replaces it must hold another lock, which is named after the dead
 * holder: so it is replaced once, and nobody can take a live lock for the stale one. (That other lock may be stale too:
 * then the same is done one level down.)
 */
async function replaceStale(path: string, mine: string, stale: Holder): Promise<boolean> {
  const name = createHash('sha256').update(`${stale.pid} ${stale.start}`).digest('hex').slice(0, 16);
  const claim = await tryLock(`${path}.after-${name}`);
  if (claim.kind === 'held') return false;
  try {
    const present = await readHolder(path);
    if (present === undefined || present.pid !== stale.pid || present.start !== stale.start) return false;
    await rename(mine, path);
    return true;
  } finally {
    await claim.lock.release();
  }
}
