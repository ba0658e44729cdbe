/**
 * What a watch promises: events in order, each once, none left out, those of a revision all or marked as a part, to be resumed at
 * any member, and told how far it is only when it is so far.
 */
import type { StoreRevision, WatchEvent } from '@ringleader/mvcc';
import { SimulationFailure } from '@ringleader/testing-simulation';
import { isDeepStrictEqual } from 'node:util';
import { contains } from './oracle.js';
import type { History } from './store-check.js';
import type { Watched } from '../sim-messages.js';
import type { Mark, Watcher } from './watchers.js';

export function checkWatchers(history: History, watchers: readonly Watcher[]): void {
  const compactions = new Set(history.compactions);
  for (const { watched, marks } of watchers) {
    const owed = history.oracle.events.flat().filter((event) => isOwed(watched, event));
    const check = new WatchCheck(owed, watched.wantsPrevious === true, compactions);
    marks.forEach((mark, at) => {
      check.follow(mark, marks.slice(at + 1));
    });
  }
}

function isOwed(watched: Watched, { kind, item }: WatchEvent): boolean {
  if ((kind === 'put' ? watched.noPuts : watched.noDeletes) === true) return false;
  return contains(watched, item.key);
}

class WatchCheck {
  readonly #owed: readonly WatchEvent[];
  readonly #wantsPrevious: boolean;
  readonly #compactions: ReadonlySet<StoreRevision>;
  /** Of those owed, how many have come, or are not owed after all. */
  #given = 0;

  constructor(owed: readonly WatchEvent[], wantsPrevious: boolean, compactions: ReadonlySet<StoreRevision>) {
    this.#owed = owed;
    this.#wantsPrevious = wantsPrevious;
    this.#compactions = compactions;
  }

  follow(mark: Mark, later: readonly Mark[]): void {
    switch (mark.kind) {
      case 'start':
        this.#given = this.#countBefore(mark.revision);
        return;
      case 'events':
        for (const event of mark.events) this.#takes(event, later);
        return;
      case 'at':
        this.#hasAllBefore(mark.position.revision);
        return;
      case 'progress':
        if (this.#given >= this.#countBefore(mark.revision + 1)) return;
        throw failure('bookmarkable', `told of revision ${String(mark.revision)} before ${this.#next()}`);
      case 'compacted':
        if (mark.from <= mark.compacted && this.#compactions.has(mark.compacted)) return;
        throw failure(
          'resumable',
          `told at ${String(mark.from)} that ${String(mark.compacted)} is compacted, which is not so`,
        );
    }
  }

  #takes(event: WatchEvent, later: readonly Mark[]): void {
    const next = this.#owed[this.#given];
    if (next !== undefined && this.#isSame(event, next)) {
      this.#given += 1;
      return;
    }
    const place = this.#owed.findIndex((one) => this.#isSame(event, one));
    if (place < 0) throw failure('true', `given ${name(event)}, which never was`);
    if (place < this.#given) throw failure('unique', `given ${name(event)} again`);
    const isLate = later.some(
      (mark) =>
        mark.kind === 'events' && mark.events.some((one) => next !== undefined && this.#isSame(one, next)),
    );
    if (isLate) throw failure('ordered', `given ${name(event)} before ${this.#next()}`);
    throw this.#lacking();
  }

  #hasAllBefore(revision: StoreRevision): void {
    if (this.#given < this.#countBefore(revision)) throw this.#lacking();
  }

  /** Something of a revision is worse than nothing of it. */
  #lacking(): SimulationFailure {
    const before = this.#owed[this.#given - 1]?.item.modRevision;
    const isPart = before === this.#owed[this.#given]?.item.modRevision;
    return failure(isPart ? 'atomic' : 'reliable', `not given ${this.#next()}`);
  }

  #countBefore(revision: StoreRevision): number {
    let low = 0;
    for (let high = this.#owed.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((this.#owed[middle] as WatchEvent).item.modRevision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isSame(event: WatchEvent, owed: WatchEvent): boolean {
    const { kind, item, previous } = owed;
    if (event.item.modRevision !== item.modRevision || event.item.key !== item.key) return false;
    return isDeepStrictEqual(event, { kind, item, previous: this.#wantsPrevious ? previous : null });
  }

  #next(): string {
    const next = this.#owed[this.#given];
    return next === undefined ? 'the end' : name(next);
  }
}

function name({ kind, item }: WatchEvent): string {
  return `the ${kind} of ${item.key} at ${String(item.modRevision)}`;
}

function failure(promise: string, what: string): SimulationFailure {
  return new SimulationFailure(`watch: ${promise}`, `a watcher is ${what}`);
}
