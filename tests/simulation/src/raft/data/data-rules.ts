/**
 * What a member owes to the clients of its store, beside Raft's promises: each as one small function, which the controls
 * replace to show that the checks notice.
 */
import type {
  Command,
  MvccStore,
  RangeOutcome,
  RangeQuery,
  StoreRevision,
  WatchPosition,
} from '@ringleader/mvcc';

/** A range that is to be read in a member's store, now or later. */
export interface RangeToRead {
  readonly query: RangeQuery;
  readNow(query: RangeQuery): RangeOutcome;
  later(run: () => void): void;
  done(outcome: RangeOutcome): void;
}

export interface DataRules {
  /** A command is proposed as it was asked: what it compares with is looked at where it is applied. */
  toPropose(command: Command, store: MvccStore): Command;
  /** The term in which a command counts as decided: that of its entry, whatever the command says. */
  decidedIn(entryTerm: number, command: Command): number;
  /** A range is read at one revision. */
  read(asked: RangeToRead): void;
  /** What a compaction forgets ends before the revision that it names. */
  compactedTo(revision: StoreRevision, newest: StoreRevision): StoreRevision;
  /** Where a watch goes on: what is compacted there is told, never passed over. */
  watchedFrom(from: WatchPosition, compacted: StoreRevision): WatchPosition;
  /** Where a watcher goes on at another member: behind the last event that it has, also within a revision. */
  resumedAt(next: WatchPosition): WatchPosition;
  /** Only who has been given all that has happened is told how far the store is. */
  mayTellProgress(isSynced: boolean): boolean;
}

export const soundDataRules: DataRules = {
  toPropose: (command) => command,
  decidedIn: (entryTerm) => entryTerm,
  read: ({ query, readNow, done }) => {
    done(readNow(query));
  },
  compactedTo: (revision) => revision,
  watchedFrom: (from) => from,
  resumedAt: (next) => next,
  mayTellProgress: (isSynced) => isSynced,
};
