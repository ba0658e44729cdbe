/** Reads that wait until their member has applied all that was acknowledged before they were asked. */
import type { RaftMember } from '@ringleader/raft';
import type { Judge } from './judge.js';

interface PendingRead {
  /** What had been acknowledged when it was asked. */
  readonly floor: number;
  readonly answer: () => void;
  context: number;
  /** Null while it is not known. */
  index: number | null;
}

export class PendingReads {
  readonly #core: RaftMember;
  readonly #judge: Judge;
  readonly #seat: number;
  #reads: PendingRead[] = [];
  #nextContext = 1;

  constructor(core: RaftMember, judge: Judge, seat: number) {
    this.#core = core;
    this.#judge = judge;
    this.#seat = seat;
  }

  add(answer: () => void): void {
    this.#reads.push({ floor: this.#judge.acknowledgedUpTo, answer, context: 0, index: null });
  }

  /** Questions and their answers may be lost. */
  askAgain(): void {
    for (const read of this.#reads) if (read.index === null) read.context = 0;
  }

  ask(): void {
    const unasked = this.#reads.filter((read) => read.context === 0);
    if (unasked.length === 0 || !this.#core.requestRead(this.#nextContext)) return;
    for (const read of unasked) read.context = this.#nextContext;
    this.#nextContext += 1;
  }

  mayRead(context: number, index: number): void {
    for (const read of this.#reads) {
      if (read.context > 0 && read.context <= context && read.index === null) read.index = index;
    }
  }

  answer(): void {
    if (this.#reads.length === 0) return;
    const { appliedIndex } = this.#core.status();
    const isReady = ({ index }: PendingRead): boolean => index !== null && index <= appliedIndex;
    const ready = this.#reads.filter(isReady);
    this.#reads = this.#reads.filter((read) => !isReady(read));
    for (const { floor, answer } of ready) {
      this.#judge.reads(this.#seat, appliedIndex, floor);
      answer();
    }
  }
}
