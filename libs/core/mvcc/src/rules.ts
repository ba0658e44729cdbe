/**
 * The rules on which the promises of leases and watches rest, and nothing else in this core decides these questions. They
 * are injected so that the simulator can break each of them and show that its checks notice. Production uses
 * `soundStoreRules`.
 */
import type { StoreRevision } from './commands.js';

export interface StoreRules {
  /**
   * Whether leases end that the leader of `decidedIn` saw run out, in an entry of `entryTerm`. Only in its own: a leader of
   * a later term has given every lease a fresh time to live, and what a deposed one proposed must not take that back.
   */
  mayExpire(decidedIn: number, entryTerm: number): boolean;
  /** Whether a watch that has seen all before `from` misses nothing, where what happened up to `compacted` is forgotten. */
  isWatchable(from: StoreRevision, compacted: StoreRevision): boolean;
}

export const soundStoreRules: StoreRules = {
  mayExpire: (decidedIn, entryTerm) => decidedIn === entryTerm,
  isWatchable: (from, compacted) => from > compacted,
};
