import type { ChangeLog } from './change-log.js';
import type { KeyValue, StoreRevision } from './commands.js';
import type { KeyIndex } from './key-index.js';
import { type KeyRange, rangeContains } from './key-range.js';
import { type State, isLive, itemSize, toKeyValue } from './key-values.js';
import type { StoreRules } from './rules.js';

/** What a watcher sees. For a deletion `item` has version 0, an empty value, and the deleting revision as modRevision. */
export interface WatchEvent {
  readonly kind: 'put' | 'delete';
  readonly item: KeyValue;
  /** The key before; null where it was not wanted, and where there was none. */
  readonly previous: KeyValue | null;
}

/** Where a watcher stands: the first revision it has not seen, and how many of its events there it has seen. */
export interface WatchPosition {
  readonly revision: StoreRevision;
  readonly skip: number;
}

export interface WatchQuery extends KeyRange {
  readonly from: WatchPosition;
  readonly eventsMax: number;
  /** Of keys and values, in bytes. */
  readonly sizeBytesMax: number;
  readonly noPuts?: boolean;
  readonly noDeletes?: boolean;
  readonly wantsPrevious?: boolean;
}

export type WatchOutcome =
  | {
      readonly kind: 'events';
      readonly events: readonly WatchEvent[];
      /** Where to go on. If `skip` is not 0, the events of that revision have come in part. */
      readonly next: WatchPosition;
      /** Nothing that has happened is missing: the watcher may be told so (progress), with the revision of the store. */
      readonly isSynced: boolean;
    }
  | { readonly kind: 'compacted'; readonly compactedRevision: StoreRevision };

/** One change of a revision, for those who follow: its event is made for whom there is. */
export interface StoreChange {
  readonly kind: WatchEvent['kind'];
  readonly key: string;
  event(wantsPrevious: boolean): WatchEvent;
}

/** In the order in which watchers see them. */
export function changesOf(revision: StoreRevision, log: ChangeLog, index: KeyIndex): StoreChange[] {
  return log.changesAt(revision).map((state) => ({
    kind: isLive(state) ? 'put' : 'delete',
    key: state.key,
    event: (wantsPrevious) => eventOf(state, { wantsPrevious }, index),
  }));
}

/** Events from `from` on, in order, up to the bounds. Empty if nothing has happened yet. */
export function watchFrom(
  query: WatchQuery,
  log: ChangeLog,
  index: KeyIndex,
  rules: StoreRules,
): WatchOutcome {
  const { from, eventsMax, sizeBytesMax } = query;
  if (!rules.isWatchable(from.revision, log.compacted))
    return { kind: 'compacted', compactedRevision: log.compacted };
  const events: WatchEvent[] = [];
  let size = 0;
  for (const { state, skip } of watched(query, log)) {
    const event = eventOf(state, query, index);
    size += itemSize(event.item) + (event.previous?.value.length ?? 0);
    if (events.length > 0 && (events.length >= eventsMax || size > sizeBytesMax)) {
      return { kind: 'events', events, next: { revision: state.modRevision, skip }, isSynced: false };
    }
    events.push(event);
  }
  // Who has seen more than this store has, at another member, goes on from there, also within a revision.
  const next = from.revision > log.newest ? from : { revision: log.newest + 1, skip: 0 };
  return { kind: 'events', events, next, isSynced: true };
}

/** What a watcher has not seen, with how many before it in its revision the watcher has seen by then. */
function* watched(
  query: WatchQuery,
  log: ChangeLog,
): Generator<{ readonly state: State; readonly skip: number }, void, undefined> {
  const { from } = query;
  for (let revision = from.revision; revision <= log.newest; revision++) {
    let skip = 0;
    for (const state of log.changesAt(revision)) {
      if (!isWatched(query, state)) continue;
      if (revision > from.revision || skip >= from.skip) yield { state, skip };
      skip += 1;
    }
  }
}

function isWatched(query: WatchQuery, state: State): boolean {
  if ((isLive(state) ? query.noPuts : query.noDeletes) === true) return false;
  return rangeContains(query, state.key);
}

/** What a key was before a revision that is kept is kept, too. */
function eventOf(
  state: State,
  { wantsPrevious }: Pick<WatchQuery, 'wantsPrevious'>,
  index: KeyIndex,
): WatchEvent {
  const previous = wantsPrevious === true ? index.liveAt(state.key, state.modRevision - 1) : undefined;
  return {
    kind: isLive(state) ? 'put' : 'delete',
    item: toKeyValue(state),
    previous: previous === undefined ? null : toKeyValue(previous),
  };
}
