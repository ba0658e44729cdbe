/** What is taken for granted about a disk, and what is not. Replaceable, as the rules of the core are. */

export interface DiskRules {
  /** Whether what is written counts as being on disk: not before it is synced. */
  counts(isSynced: boolean): boolean;
  /** Whether what is to be written counts as written: not where there is no room for it. */
  isTaken(hasRoom: boolean): boolean;
  /** Whether a member goes on after a sync: not after one that failed, since nobody knows what the disk has then. */
  goesOn(hasFailed: boolean): boolean;
  /** Whether a file is a snapshot: not where its end is missing. */
  isSnapshot(isWhole: boolean): boolean;
}

export const soundDisks: DiskRules = {
  counts: (isSynced) => isSynced,
  isTaken: (hasRoom) => hasRoom,
  goesOn: (hasFailed) => !hasFailed,
  isSnapshot: (isWhole) => isWhole,
};
