import { randomUUID } from 'node:crypto';
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

async function readHolder(path: string): Promise<{ pid: number; start: string } | undefined> {
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
  await writeFile(mine, `${process.pid}\n${(await processStart(process.pid)) ?? ''}\n`, { mode: 0o600 });
  try {
    for (;;) {
      if (await linkOnce(mine, path))
        return { kind: 'taken', lock: { release: () => rm(path, { force: true }) } };
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if ((await processStart(holder.pid)) === holder.start)
        return { kind: 'held', holder: { pid: holder.pid } };
      await removeStale(path, holder);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Two processes may find the same stale lock: the one that moved a live lock aside by mistake puts it back. */
async function removeStale(path: string, stale: { pid: number; start: string }): Promise<void> {
  const aside = `${path}.stale.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved !== undefined && (moved.pid !== stale.pid || moved.start !== stale.start))
    await linkOnce(aside, path);
  await rm(aside, { force: true });
}
