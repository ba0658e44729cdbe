/**
 * What a member owes to the clients of its store, beside Raft's promises: each as one small function, which the controls
 * replace to show that the checks notice.
 */
import {
  type Command,
  type MvccStore,
  type RangeOutcome,
  type RangeQuery,
  soundStoreRules,
  type StoreRevision,
  type StoreRules,
  type WatchPosition,
} from '@ringleader/mvcc';

/** A range that is to be read in a member's store, now or later. */
export interface RangeToRead {
  readonly query: RangeQuery;
  readNow(query: RangeQuery): RangeOutcome;
  later(run: () => void): void;
  done(outcome: RangeOutcome): void;
}

/** Those of the store, and of the shell around it. */
export interface DataRules extends StoreRules {
  /** A command is proposed as it was asked: what it compares with is looked at where it is applied. */
  toPropose(command: Command, store: MvccStore): Command;
  /** A range is read at one revision. */
  read(asked: RangeToRead): void;
  /** What a compaction forgets ends before the revision that it names. */
  compactedTo(revision: StoreRevision, newest: StoreRevision): StoreRevision;
  /** An end is of the leases that there were when they were seen to run out, not of others that have their ids since. */
  seenAsOf(wantedGrants: number): number;
  /** Where a watcher goes on at another member: behind the last event that it has, also within a revision. */
  resumedAt(next: WatchPosition): WatchPosition;
  /** Followers of a store that a snapshot took the place of are given what happened in between. */
  looksBackAfterRestore(): boolean;
  /** A follower to whom a frame has not come takes none behind it. */
  waitsForMissing(): boolean;
  /** Only who has been given all that has happened is told how far the store is. */
  mayTellProgress(isSynced: boolean): boolean;
}

export const soundDataRules: DataRules = {
  ...soundStoreRules,
  toPropose: (command) => command,
  read: ({ query, readNow, done }) => {
    done(readNow(query));
  },
  compactedTo: (revision) => revision,
  seenAsOf: (wantedGrants) => wantedGrants,
  resumedAt: (next) => next,
  looksBackAfterRestore: () => true,
  waitsForMissing: () => true,
  mayTellProgress: (isSynced) => isSynced,
};
