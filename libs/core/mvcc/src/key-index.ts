import { invariant } from '@ringleader/primitives';
import type { KeyValue, LeaseId, StoreRevision } from './commands.js';
import { type KeyRange } from './key-range.js';
import { SortedKeys } from './sorted-keys.js';

/** One state of a key. `version` 0 is a deletion: it carries no value, no creation and no lease. */
export interface KeyState {
  readonly modRevision: StoreRevision;
  readonly createRevision: StoreRevision;
  readonly version: number;
  readonly value: string;
  readonly lease: LeaseId;
}

/**
 * All states of all keys since the last compaction: for each key a list ascending in `modRevision`, where no two states
 * have the same revision. A reader at revision r takes the last state at or before r.
 */
export class KeyIndex {
  readonly #keys = new SortedKeys();
  readonly #histories = new Map<string, KeyState[]>();

  /** Keys that have a state, deleted ones included. */
  get size(): number {
    return this.#keys.size;
  }

  /** The newest state, deletions included. */
  newest(key: string): KeyState | undefined {
    return this.#histories.get(key)?.at(-1);
  }

  newestLive(key: string): KeyState | undefined {
    const state = this.newest(key);
    return state !== undefined && state.version > 0 ? state : undefined;
  }

  liveAt(key: string, revision: StoreRevision): KeyState | undefined {
    const history = this.#histories.get(key) ?? [];
    const state = history[lastAtOrBefore(history, revision)];
    return state !== undefined && state.version > 0 ? state : undefined;
  }

  append(key: string, state: KeyState): void {
    const history = this.#histories.get(key);
    if (history === undefined) {
      this.#histories.set(key, [state]);
      this.#keys.add(key);
      return;
    }
    const last = history.at(-1);
    invariant(last === undefined || last.modRevision < state.modRevision, 'a key changes once per revision');
    history.push(state);
  }

  /** Live keys of a range as of `revision`, in ascending order. */
  *liveWithin(range: KeyRange, revision: StoreRevision): Generator<KeyValue, void, undefined> {
    for (const key of this.#keys.within(range)) {
      const state = this.liveAt(key, revision);
      if (state !== undefined) yield toKeyValue(key, state);
    }
  }

  /** All keys with all their states, in ascending order. */
  *entries(): Generator<readonly [string, readonly KeyState[]], void, undefined> {
    for (const key of this.#keys) yield [key, this.#histories.get(key) ?? []];
  }

  /** Drops, of the given keys, every state that a reader at `revision` or later cannot see. */
  compact(keys: Iterable<string>, revision: StoreRevision): void {
    const dead = new Set<string>();
    for (const key of keys) {
      const history = this.#histories.get(key);
      if (history === undefined) continue;
      const visible = lastAtOrBefore(history, revision);
      const isDeletion = visible >= 0 && history[visible]?.version === 0;
      history.splice(0, isDeletion ? visible + 1 : Math.max(visible, 0));
      if (history.length === 0) {
        this.#histories.delete(key);
        dead.add(key);
      }
    }
    this.#keys.removeAll(dead);
  }
}

export function toKeyValue(key: string, state: KeyState): KeyValue {
  const { value, createRevision, modRevision, version, lease } = state;
  return { key, value, createRevision, modRevision, version, lease };
}

/** -1 if all states are younger. */
function lastAtOrBefore(history: readonly KeyState[], revision: StoreRevision): number {
  // Nearly all reads are of the present; the others halve the rest.
  let low = -1;
  let high = history.length - 1;
  let middle = high;
  while (low < high) {
    if ((history[middle] as KeyState).modRevision <= revision) low = middle;
    else high = middle - 1;
    middle = Math.ceil((low + high) / 2);
  }
  return low;
}
