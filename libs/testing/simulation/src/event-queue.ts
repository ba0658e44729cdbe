/**
 * Discrete-event time: nothing happens between two events, so a simulated minute costs only what happens in it.
 * Events of the same instant run in the order in which they were scheduled, which makes a run a function of its seed.
 */
export interface ScheduledEvent {
  readonly time: number;
  cancelled: boolean;
}

interface Entry extends ScheduledEvent {
  readonly sequence: number;
  readonly run: () => void;
}

export class EventQueue {
  #now = 0;
  #sequence = 0;
  readonly #heap: Entry[] = [];

  /** Simulated milliseconds since the start: the time of the event that is running. */
  get now(): number {
    return this.#now;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** An instant in the past means now. */
  at(time: number, run: () => void): ScheduledEvent {
    const entry: Entry = {
      time: Math.max(time, this.#now),
      sequence: this.#sequence++,
      run,
      cancelled: false,
    };
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1);
    return entry;
  }

  after(delayMs: number, run: () => void): ScheduledEvent {
    return this.at(this.#now + delayMs, run);
  }

  /** Runs all events up to and including `until`, or until `stop` says so (asked after each event). */
  runUntil(until: number, stop: () => boolean = () => false): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.time > until) break;
      this.#removeFirst();
      if (next.cancelled) continue;
      this.#now = next.time;
      next.run();
      if (stop()) return;
    }
    this.#now = Math.max(this.#now, until);
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown();
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    const entry = heap[from] as Entry;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Entry;
      if (!isBefore(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #siftDown(): void {
    const heap = this.#heap;
    const entry = heap[0] as Entry;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const right = childIndex + 1;
      if (right < heap.length && isBefore(heap[right] as Entry, heap[childIndex] as Entry))
        childIndex = right;
      const child = heap[childIndex] as Entry;
      if (!isBefore(child, entry)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}
