export type { WatchEvent } from './change-log.js';
export { decodeCommand, encodeCommand } from './command-codec.js';
export * from './commands.js';
export type { KeyRange } from './key-range.js';
export type { Lease } from './lease-table.js';
export { decodeSnapshot, encodeSnapshot } from './snapshot-codec.js';
export {
  MvccStore,
  type RangeOutcome,
  type RangeQuery,
  type WatchOutcome,
  type WatchPosition,
  type WatchQuery,
} from './store.js';
export { duplicateKey, isReadOnly } from './transaction.js';
