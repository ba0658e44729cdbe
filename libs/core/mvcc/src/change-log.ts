import { compareKeys, invariant } from '@ringleader/primitives';
import type { KeyValue, StoreRevision } from './commands.js';
import { type KeyState, toKeyValue } from './key-index.js';

/** What a watcher sees. For a deletion `item` has version 0, an empty value, and the deleting revision as modRevision. */
export interface WatchEvent {
  readonly kind: 'put' | 'delete';
  readonly item: KeyValue;
}

/**
 * What each revision changed, from the first that is not compacted to the newest, without gaps. Within a revision
 * events stand in key order, which is what makes the log recoverable from the histories of the keys: a snapshot does
 * not carry it.
 */
export class ChangeLog {
  #compacted: StoreRevision;
  #revisions: WatchEvent[][] = [];
  #eventCount = 0;

  constructor(compacted: StoreRevision) {
    this.#compacted = compacted;
  }

  get compacted(): StoreRevision {
    return this.#compacted;
  }

  get newest(): StoreRevision {
    return this.#compacted + this.#revisions.length;
  }

  get eventCount(): number {
    return this.#eventCount;
  }

  append(revision: StoreRevision, changes: ReadonlyMap<string, KeyState>): void {
    invariant(revision === this.newest + 1, 'revisions are logged one after the other');
    const keys = [...changes.keys()].sort(compareKeys);
    this.#revisions.push(keys.map((key) => toEvent(key, changes.get(key) as KeyState)));
    this.#eventCount += keys.length;
  }

  eventsAt(revision: StoreRevision): readonly WatchEvent[] {
    return this.#revisions[revision - this.#compacted - 1] ?? [];
  }

  /** Returns the keys that changed in what is forgotten. */
  compact(revision: StoreRevision): Set<string> {
    invariant(
      revision > this.#compacted && revision <= this.newest,
      'compaction goes forward, within the log',
    );
    const forgotten = this.#revisions.splice(0, revision - this.#compacted).flat();
    this.#compacted = revision;
    this.#eventCount -= forgotten.length;
    return new Set(forgotten.map((event) => event.item.key));
  }

  /**
   * The newest revision whose compaction leaves at least `eventsMin` events, or null if there is nothing to forget.
   * Whole revisions are forgotten, so a large one may keep the log longer than asked.
   */
  compactionTarget(eventsMin: number): StoreRevision | null {
    let kept = this.#eventCount;
    let target: StoreRevision | null = null;
    for (let revision = this.#compacted + 1; revision <= this.newest; revision++) {
      kept -= this.eventsAt(revision).length;
      if (kept < eventsMin) break;
      target = revision;
    }
    return target;
  }
}

function toEvent(key: string, state: KeyState): WatchEvent {
  return { kind: state.version > 0 ? 'put' : 'delete', item: toKeyValue(key, state) };
}
