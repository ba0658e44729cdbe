import { compareKeys, invariant } from '@ringleader/primitives';
import type { StoreRevision } from './commands.js';
import { type State, isLive } from './key-values.js';
import { type HashLanes, StateHash } from './state-hash.js';

/** What became of a key. `previous` is undefined where it did not exist before. */
export interface Change {
  readonly state: State;
  readonly previous: State | undefined;
}

/** Most revisions change one key, and the log of a large store is long. */
type Changed = State | readonly State[];

/**
 * What each revision changed, from the first that is not compacted to the newest, without gaps, and the hash of the store
 * after each. Within a revision states stand in key order, which is what makes the log recoverable from the histories of
 * the keys: a snapshot does not carry it.
 */
export class ChangeLog {
  #compacted: StoreRevision;
  #revisions: Changed[] = [];
  /** The first is that of the compacted revision. Not an object each: there are as many as revisions. */
  readonly #hashes: { readonly a: number[]; readonly b: number[] };
  readonly #hash: StateHash;
  #eventCount = 0;

  /** `hash` is that of all keys as of the compacted revision. */
  constructor(compacted: StoreRevision, hash = new StateHash()) {
    this.#compacted = compacted;
    this.#hash = hash;
    this.#hashes = { a: [hash.lanes.a], b: [hash.lanes.b] };
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

  append(revision: StoreRevision, changes: readonly Change[]): void {
    invariant(revision === this.newest + 1, 'revisions are logged one after the other');
    for (const { state, previous } of changes) {
      if (previous !== undefined) this.#hash.remove(previous);
      if (isLive(state)) this.#hash.add(state);
    }
    const states = changes.map(({ state }) => state);
    states.sort((a, b) => compareKeys(a.key, b.key));
    this.#revisions.push(states.length === 1 ? (states[0] as State) : states);
    this.#hashes.a.push(this.#hash.lanes.a);
    this.#hashes.b.push(this.#hash.lanes.b);
    this.#eventCount += states.length;
  }

  /** In key order. */
  changesAt(revision: StoreRevision): readonly State[] {
    return listed(this.#revisions[revision - this.#compacted - 1] ?? []);
  }

  /** From this revision on, in order. */
  *changesFrom(revision: StoreRevision): Generator<State, void, undefined> {
    for (let at = revision - this.#compacted - 1; at < this.#revisions.length; at++) {
      yield* listed(this.#revisions[at] as Changed);
    }
  }

  /** Of a revision from the compacted one to the newest. */
  hashAt(revision: StoreRevision): HashLanes {
    const a = this.#hashes.a[revision - this.#compacted];
    const b = this.#hashes.b[revision - this.#compacted];
    invariant(a !== undefined && b !== undefined, 'a hash is asked of a revision that is kept');
    return { a, b };
  }

  /**
   * How far a compaction up to `target` gets that is to forget no more than so many events: whole revisions, at least one,
   * and never beyond it.
   */
  compactionStep(target: StoreRevision, eventsMax: number): StoreRevision {
    let events = 0;
    for (let revision = this.#compacted + 1; revision < Math.min(target, this.newest); revision++) {
      events += this.changesAt(revision).length;
      if (events + this.changesAt(revision + 1).length > eventsMax) return revision;
    }
    return target;
  }

  /** Returns the keys that changed in what is forgotten. */
  compact(revision: StoreRevision): Set<string> {
    invariant(
      revision > this.#compacted && revision <= this.newest,
      'compaction goes forward, within the log',
    );
    const forgotten = this.#revisions.splice(0, revision - this.#compacted).flatMap(listed);
    this.#hashes.a.splice(0, revision - this.#compacted);
    this.#hashes.b.splice(0, revision - this.#compacted);
    this.#compacted = revision;
    this.#eventCount -= forgotten.length;
    return new Set(forgotten.map(({ key }) => key));
  }

  /** All is compacted; what comes next has the revisions behind this one. */
  jumpTo(revision: StoreRevision): void {
    invariant(
      this.#revisions.length === 0 && revision >= this.#compacted,
      'what is forgotten is passed over',
    );
    this.#compacted = revision;
  }

  /**
   * The newest revision whose compaction leaves at least `eventsMin` events, or null if there is nothing to forget.
   * Whole revisions are forgotten, so a large one may keep the log longer than asked.
   */
  compactionTarget(eventsMin: number): StoreRevision | null {
    let kept = this.#eventCount;
    let target: StoreRevision | null = null;
    for (let revision = this.#compacted + 1; revision <= this.newest; revision++) {
      kept -= this.changesAt(revision).length;
      if (kept < eventsMin) break;
      target = revision;
    }
    return target;
  }
}

function listed(changed: Changed): readonly State[] {
  return Array.isArray(changed) ? (changed as readonly State[]) : [changed as State];
}
