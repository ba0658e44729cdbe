import { compareKeys, unreachable } from '@ringleader/primitives';
import type { KeyValue, RangeResult, ReadOptions, StoreRevision } from './commands.js';
import type { ChangeLog } from './change-log.js';
import type { KeyIndex } from './key-index.js';
import { type KeyRange, rangeContains } from './key-range.js';
import { type State, isLive, itemSize, toKeyValue } from './key-values.js';

export interface RangeBounds extends ReadOptions {
  /** Stops before the item with which keys and values are larger than this, in bytes, but gives one at least. */
  readonly sizeBytesMax?: number;
}

/** Where a range is read: the states at `revision`, and how many states, and which, have come since. */
export interface ReadPoint {
  readonly revision: StoreRevision;
  readonly laterCount: number;
  readonly later: () => Iterable<State>;
}

/** `pending`: what a transaction has changed so far, which the log does not have. */
export function readPoint(
  log: ChangeLog,
  revision: StoreRevision,
  pending: readonly State[] = [],
): ReadPoint {
  return {
    revision,
    laterCount: log.newest - revision + pending.length,
    *later() {
      yield* log.changesFrom(revision + 1);
      yield* pending;
    },
  };
}

export function readRange(index: KeyIndex, query: KeyRange & RangeBounds, point: ReadPoint): RangeResult {
  if (query.countOnly) return { items: [], count: countWithin(index, query, point), more: false };
  // The index has the keys in their own order, either way.
  const isOrdered = query.sortBy === 'key';
  const live = index.liveWithin(query, point.revision, isOrdered && query.isDescending);
  const found = bounded(live, query);
  const { items, more } = cut(isOrdered ? found : sorted(found, query), query);
  const isWhole = !more && !isBounded(query);
  return { items, count: isWhole ? items.length : countWithin(index, query, point), more };
}

/** So many more than are wanted are gathered before they are sorted. */
const SORTED_AT_ONCE = 1_024;

/** What comes first in the order that is asked for: one more than the limit, to tell whether there are more. */
function sorted(found: Iterable<State>, query: ReadOptions): readonly State[] {
  const order = orderOf(query);
  const wanted = query.limit === 0 ? Infinity : query.limit + 1;
  const first: State[] = [];
  let last: State | undefined;
  for (const state of found) {
    // Of equals the one that was found before comes first.
    if (last !== undefined && order(last, state) <= 0) continue;
    first.push(state);
    if (first.length < wanted + SORTED_AT_ONCE) continue;
    first.sort(order).splice(wanted);
    last = first.at(-1);
  }
  return first.sort(order);
}

/** From the count of now and what has happened since, or key by key, whichever looks at less. */
function countWithin(index: KeyIndex, range: KeyRange, point: ReadPoint): number {
  const { all, live } = index.countWithin(range);
  if (point.laterCount > all) {
    let count = 0;
    for (const _ of index.liveWithin(range, point.revision)) count += 1;
    return count;
  }
  let count = live;
  for (const state of point.later()) {
    if (!rangeContains(range, state.key)) continue;
    if (!isLive(state)) count += 1;
    else if (state.version === 1) count -= 1;
  }
  return count;
}

function isBounded(options: ReadOptions): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = options;
  return minModRevision + maxModRevision + minCreateRevision + maxCreateRevision > 0;
}

function bounded(live: Iterable<State>, options: ReadOptions): Iterable<State> {
  return isBounded(options) ? withinBounds(live, options) : live;
}

function* withinBounds(live: Iterable<State>, options: ReadOptions): Generator<State, void, undefined> {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = options;
  const lastMod = maxModRevision === 0 ? Infinity : maxModRevision;
  const lastCreate = maxCreateRevision === 0 ? Infinity : maxCreateRevision;
  for (const item of live) {
    if (item.modRevision < minModRevision || item.modRevision > lastMod) continue;
    if (item.createRevision < minCreateRevision || item.createRevision > lastCreate) continue;
    yield item;
  }
}

/** The items up to the bounds, as they are shown, and whether there are more. */
function cut(found: Iterable<State>, query: RangeBounds): Pick<RangeResult, 'items' | 'more'> {
  const { limit, sizeBytesMax = Infinity } = query;
  const items: KeyValue[] = [];
  let size = 0;
  for (const state of found) {
    const next = toKeyValue(query.keysOnly ? { ...state, packed: '' } : state);
    size += itemSize(next);
    if ((limit !== 0 && items.length === limit) || (items.length > 0 && size > sizeBytesMax)) {
      return { items, more: true };
    }
    items.push(next);
  }
  return { items, more: false };
}

type Order = (a: State, b: State) => number;

function orderOf({ sortBy, isDescending }: ReadOptions): Order {
  const ascending = ascendingBy(sortBy);
  return isDescending ? (a, b) => ascending(b, a) : ascending;
}

function ascendingBy(field: ReadOptions['sortBy']): Order {
  switch (field) {
    case 'key':
      return (a, b) => compareKeys(a.key, b.key);
    case 'value':
      return (a, b) => (a.packed < b.packed ? -1 : Number(a.packed > b.packed));
    case 'version':
    case 'createRevision':
    case 'modRevision':
      return (a, b) => a[field] - b[field];
    default:
      return unreachable(field, 'field to sort by');
  }
}
