export { type Disk, type DiskFile, makeFolders, nodeDisk } from './disk.js';
export { LogStorage, type WriteOutcome } from './log-storage.js';
export { type LogStorageOptions, openLogStorage, type OpenedLog } from './open-log.js';
export { corruptLog, failedStorage, foreignLog, missingLog } from './storage-errors.js';
export { drawMemberId } from './identity-file.js';
export { type ArchiveHeader, ArchiveReader, archiveOf, DamagedArchiveError } from './snapshot-archive.js';
export type { LogBatch } from './batch-codec.js';
export type { ReceivedSnapshot, SnapshotFile, SnapshotWriter, StoredChunk } from './snapshot-files.js';
export * from './types.js';
