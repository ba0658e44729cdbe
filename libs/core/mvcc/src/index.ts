export { decodeCommand, encodeCommand } from './command-codec.js';
export * from './commands.js';
export type { KeyRange } from './key-range.js';
export { itemSize, utf8Length } from './key-values.js';
export { LeaseDeadlines } from './lease-deadlines.js';
export type { Lease } from './lease-table.js';
export { RevisionAges } from './revision-ages.js';
export { type StoreRules, soundStoreRules } from './rules.js';
export { SnapshotReader, snapshotOf, storeOf } from './snapshot-codec.js';
export {
  type HashOutcome,
  MvccStore,
  type RangeOutcome,
  type RangeQuery,
  type RevisionOutcome,
} from './store.js';
export { isReadOnly, refusalOf } from './transaction-rules.js';
export type { StoreChange, WatchEvent, WatchOutcome, WatchPosition, WatchQuery } from './watch.js';
export { WatcherIndex } from './watcher-index.js';
