import { invariant } from '@ringleader/primitives';
import type { StoreRevision } from './commands.js';
import { type KeyRange } from './key-range.js';
import { type State, isLive, stateSize } from './key-values.js';
import { type Entry, SortedEntries } from './sorted-entries.js';

/**
 * All states of all keys since the last compaction: for each key a list ascending in `modRevision`, where no two states
 * have the same revision. A reader at revision r takes the last state at or before r. A state of version 0 is a deletion.
 */
export class KeyIndex {
  readonly #sorted = new SortedEntries();
  readonly #entries = new Map<string, Entry>();
  #sizeBytes = 0;

  /** Keys that have a state, deleted ones included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Of all states. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  newestLive(key: string): State | undefined {
    const state = this.#entries.get(key)?.states.at(-1);
    return isLive(state) ? state : undefined;
  }

  liveAt(key: string, revision: StoreRevision): State | undefined {
    const entry = this.#entries.get(key);
    return entry && liveState(entry.states, revision);
  }

  append(state: State): void {
    const { key } = state;
    this.#sizeBytes += stateSize(key, state.packed.length);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const created: Entry = { key, states: [state] };
      this.#entries.set(key, created);
      this.#sorted.add(created);
      return;
    }
    const last = entry.states.at(-1) as State;
    invariant(last.modRevision < state.modRevision, 'a key changes once per revision');
    entry.states = withOneMore(entry.states, state);
    if (isLive(last) !== isLive(state)) this.#sorted.countLive(key, isLive(state) ? 1 : -1);
  }

  /** A key with all its states, behind all others: for a snapshot. */
  restore(entry: Entry): void {
    this.#entries.set(entry.key, entry);
    this.#sorted.add(entry);
    for (const { key, packed } of entry.states) this.#sizeBytes += stateSize(key, packed.length);
  }

  /** Live keys of a range as of `revision`, in order. */
  *liveWithin(
    range: KeyRange,
    revision: StoreRevision,
    isDescending = false,
  ): Generator<State, void, undefined> {
    const { key, rangeEnd } = range;
    if (rangeEnd === null) {
      const state = this.liveAt(range.key, revision);
      if (state !== undefined) yield state;
      return;
    }
    const found = isDescending
      ? this.#sorted.withinDescending({ key, rangeEnd })
      : this.#sorted.within(range);
    for (const { states } of found) {
      const state = liveState(states, revision);
      if (state !== undefined) yield state;
    }
  }

  /** How many keys of a range have a state, and how many exist now, without looking at each. */
  countWithin({ key, rangeEnd }: KeyRange): { readonly all: number; readonly live: number } {
    if (rangeEnd !== null) return this.#sorted.countWithin(key, rangeEnd);
    const state = this.#entries.get(key)?.states.at(-1);
    return { all: state === undefined ? 0 : 1, live: isLive(state) ? 1 : 0 };
  }

  /**
   * All keys there are now, in ascending order, to be read while the store goes on: states that come later, and keys that
   * have only such, may be among them; nothing of now is missing.
   */
  capture(): Generator<Entry, void, undefined> {
    return this.#sorted.capture();
  }

  /** Drops, of the given keys, every state that a reader at `revision` or later cannot see. */
  compact(keys: Iterable<string>, revision: StoreRevision): void {
    const replacements = new Map<string, Entry | null>();
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      const kept = visibleFrom(entry.states, revision);
      if (kept.length === entry.states.length) continue;
      for (let i = 0; i < entry.states.length - kept.length; i++) {
        this.#sizeBytes -= stateSize(key, (entry.states[i] as State).packed.length);
      }
      const replacement = kept.length === 0 ? null : { key, states: kept };
      replacements.set(key, replacement);
      if (replacement === null) this.#entries.delete(key);
      else this.#entries.set(key, replacement);
    }
    if (replacements.size > 0) this.#sorted.replace(replacements);
  }
}

/** Most keys have few states: an array that has grown by `push` has room for many more. */
const SHORT_HISTORY = 8;

function withOneMore(states: State[], state: State): State[] {
  if (states.length < SHORT_HISTORY) return states.concat(state);
  states.push(state);
  return states;
}

function liveState(states: readonly State[], revision: StoreRevision): State | undefined {
  const state = states[lastAtOrBefore(states, revision)];
  return isLive(state) ? state : undefined;
}

/** What a reader at `revision` or later can see. A deletion is seen as nothing. */
function visibleFrom(states: readonly State[], revision: StoreRevision): State[] {
  const visible = lastAtOrBefore(states, revision);
  return states.slice(visible >= 0 && !isLive(states[visible]) ? visible + 1 : Math.max(visible, 0));
}

/** -1 if all states are younger. */
function lastAtOrBefore(states: readonly State[], revision: StoreRevision): number {
  // Nearly all reads are of the present; the others halve the rest.
  let low = -1;
  let high = states.length - 1;
  let middle = high;
  while (low < high) {
    if ((states[middle] as State).modRevision <= revision) low = middle;
    else high = middle - 1;
    middle = Math.ceil((low + high) / 2);
  }
  return low;
}
