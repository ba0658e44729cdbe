/**
 * What a start does before anything is written: the folder is made and locked, the log in it is read, and whatever is not as a crash
 * leaves it is refused.
 */
import { type FileLock, tryLockFile } from '@ringleader/file-lock';
import { dirname, join, resolve } from 'node:path';
import { assembleLog } from './assembly.js';
import { type Disk, nodeDisk } from './disk.js';
import { ownerOf, readIdentity } from './identity-file.js';
import { LogStorage } from './log-storage.js';
import { recoverSegments, type SegmentSummary } from './recovery.js';
import { nobody } from './segment.js';
import { listSnapshots } from './snapshot-files.js';
import { SpareSegment } from './spare-segment.js';
import { attempt, corruptLog, foreignLog, logInUse, missingLog } from './storage-errors.js';
import type { RecoveredLog } from './types.js';

export interface LogStorageOptions {
  readonly directory: string;
  readonly segmentSizeBytes?: number;
  /** How often a full disk is looked at. */
  readonly lookEveryMs?: number;
  readonly disk?: Disk;
}

export interface OpenedLog {
  readonly storage: LogStorage;
  readonly recovered: RecoveredLog;
}

/** Not to be raised: segments of before they said their size are refused where they are smaller. */
const defaultSegmentSizeBytes = 8 * 1024 * 1024;
const defaultLookEveryMs = 1_000;
const lockName = 'lock';

/** Repairs a torn tail, says so, and refuses everything else that is not in order (LOG_CORRUPT, LOG_IN_USE). */
export async function openLogStorage(options: LogStorageOptions): Promise<OpenedLog> {
  const { directory, disk = nodeDisk } = options;
  await attempt('making the directory', directory, () => makeDirectory(disk, resolve(directory)));
  const lock = await attempt('locking the directory', directory, () => lockDirectory(directory));
  try {
    return await attempt('reading the log', directory, () => open(options, disk, lock));
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function open(options: LogStorageOptions, disk: Disk, lock: FileLock): Promise<OpenedLog> {
  const { directory, segmentSizeBytes: sizeBytes = defaultSegmentSizeBytes } = options;
  const { lookEveryMs = defaultLookEveryMs } = options;
  await removePartials(disk, directory);
  // A name that is found here may have been given just before the process was killed.
  await disk.syncDirectory(directory);
  const snapshot = (await listSnapshots(disk, directory)).at(-1) ?? { index: 0, term: 0 };
  const found = await recoverSegments(disk, directory, sizeBytes);
  const identity = await readIdentity(disk, directory);
  if (snapshot.index > 0 && found.segments.length === 0) {
    throw corruptLog({
      file: directory,
      offset: 0,
      reason: 'there is a snapshot, but no segment of the log',
    });
  }
  if (identity !== null && found.segments.length === 0)
    throw missingLog(directory, 'it has an identity, but no log', { ...identity });
  if (identity !== null) refuseForeign(found.segments, ownerOf(identity), directory);
  const { hardState, entries, isReplaced } = assembleLog(found.batches, snapshot, directory);
  const spare = new SpareSegment({ directory, disk, sizeBytes, lookEveryMs });
  const foundation = { directory, disk, lock, segmentSizeBytes: sizeBytes, spare };
  const storage = new LogStorage(foundation, found, { snapshot, owner: ownerOf(identity) });
  await storage.prepare();
  if (isReplaced) await storage.recordSnapshot(hardState);
  const { haveIdentity: wantsIdentity, repairs } = found;
  return { storage, recovered: { identity, wantsIdentity, hardState, snapshot, entries, repairs } };
}

/** One that says nothing may be the own. */
function refuseForeign(segments: readonly SegmentSummary[], owner: number, directory: string): void {
  for (const segment of segments) {
    if (segment.owner === null || segment.owner === nobody || segment.owner === owner) continue;
    throw foreignLog(directory, `${segment.path} is of another member than the identity beside it`);
  }
}

/** A new folder is lost with its log unless each folder above that was made with it is on disk as well. */
async function makeDirectory(disk: Disk, directory: string): Promise<void> {
  const firstMade = (await disk.makeDirectory(directory)) ?? directory;
  for (let made = directory; ; made = dirname(made)) {
    await disk.syncDirectory(dirname(made));
    if (made === firstMade || made === dirname(made)) return;
  }
}

async function lockDirectory(directory: string): Promise<FileLock> {
  const attempt = await tryLockFile(join(directory, lockName));
  if (attempt.kind === 'held') throw logInUse(directory, attempt.holder);
  return attempt.lock;
}

/** What was being made when the process ended, and never got its name. */
async function removePartials(disk: Disk, directory: string): Promise<void> {
  for (const name of await disk.list(directory)) {
    if (name.endsWith('.partial')) await disk.remove(join(directory, name));
  }
}
