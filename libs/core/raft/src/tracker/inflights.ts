import type { LogIndex } from '../types.js';

interface Inflight {
  readonly lastIndex: LogIndex;
  readonly sizeBytes: number;
}

/** The Appends on their way to one follower, oldest first. Their number and their bytes are bounded. */
export class Inflights {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #queue: Inflight[] = [];
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#queue.length;
  }
  /** Full by bytes only once it exceeds them: one large Append always gets through. */
  get isFull(): boolean {
    return this.#queue.length >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  add(lastIndex: LogIndex, sizeBytes: number): void {
    this.#queue.push({ lastIndex, sizeBytes });
    this.#bytes += sizeBytes;
  }

  freeUpTo(index: LogIndex): void {
    let count = 0;
    while (count < this.#queue.length && this.#queue[count]!.lastIndex <= index) {
      this.#bytes -= this.#queue[count]!.sizeBytes;
      count += 1;
    }
    if (count > 0) this.#queue.splice(0, count);
  }

  clear(): void {
    this.#queue = [];
    this.#bytes = 0;
  }
}
