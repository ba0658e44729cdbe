import type { HybridTime, Revision } from '@ringleader/primitives';

/** docs/PROTOCOL.md 4.6. */
export interface PurgeRules {
  /** 4.6.1: how far tombstones may go. Control: PurgeUncommitted (uses `lastRevision`). */
  purgeLimit(commit: Revision, lastRevision: Revision): Revision;
  /** 4.6.2: what is remembered of the requests of rows that are gone. Control: NoPurgeFloor. */
  floorAfterPurge(own: HybridTime, purged: HybridTime): HybridTime;
}

export const PURGE_RULES: PurgeRules = {
  purgeLimit: (commit) => commit,
  floorAfterPurge: Math.max,
};
