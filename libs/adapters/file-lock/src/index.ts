/**
 * The one lock that keeps two processes off the same files. The kernel holds it, on an open file: it ends with the process,
 * however that ends, and it does not care for process ids, which are other ones in another container, and are used again.
 * The file stays when the lock is released: to remove it would let two others lock two files of the same name.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { tryLock } from 'fs-native-extensions';

export interface FileLock {
  release(): Promise<void>;
}

export type FileLockAttempt =
  | { readonly kind: 'taken'; readonly lock: FileLock }
  /** `holder` is what the holder wrote about itself: for people, and empty while it is writing. */
  | { readonly kind: 'held'; readonly holder: string };

/** Locks the file, which is made if it is not there. Its folder must exist. */
export async function tryLockFile(path: string): Promise<FileLockAttempt> {
  const file = await open(path, 'a+', 0o600);
  let isTaken = false;
  try {
    isTaken = tryLock(file.fd);
    if (!isTaken) return { kind: 'held', holder: (await readFile(path, 'utf8')).trim() };
    await signWith(file, `process ${String(process.pid)} on ${hostname()}`);
    return { kind: 'taken', lock: { release: () => file.close() } };
  } catch (error) {
    isTaken = false;
    throw error;
  } finally {
    if (!isTaken) await file.close();
  }
}

async function signWith(file: FileHandle, holder: string): Promise<void> {
  await file.truncate(0);
  await file.appendFile(`${holder}\n`);
}
