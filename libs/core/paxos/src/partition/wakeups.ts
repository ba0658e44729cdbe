/**
 * When each partition must be looked at next. A binary heap with lazy deletion: a partition that is moved to an earlier
 * time gets another entry, and entries that are no longer its time are passed over. Moving to a later time is the
 * partition's own business when it wakes.
 */
import type { Replica } from './replica.js';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly replica: Replica;
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

export class Wakeups {
  private readonly heap: Entry[] = [];
  private order = 0;

  /** Wakes the replica at this time, or earlier if it was to be woken earlier. */
  at(replica: Replica, at: number): void {
    if (at >= replica.wakeAt) return;
    replica.wakeAt = at;
    this.order += 1;
    this.push({ at, order: this.order, replica });
  }

  next(): number {
    this.dropStale();
    return this.heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The next replica whose time has come; it has no further wake-up until it asks for one. */
  takeDue(now: number): Replica | null {
    this.dropStale();
    const top = this.heap[0];
    if (top === undefined || top.at > now) return null;
    this.pop();
    top.replica.wakeAt = Number.POSITIVE_INFINITY;
    return top.replica;
  }

  private dropStale(): void {
    for (;;) {
      const top = this.heap[0];
      if (top === undefined || top.at === top.replica.wakeAt) return;
      this.pop();
    }
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, left)) child += 1;
      const least = heap[child];
      if (least === undefined || !before(least, last)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
  }
}
