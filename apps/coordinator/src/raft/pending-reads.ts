/**
 * Linearizable reads that wait: all that come in one turn ask one question, and an answer to a question also answers all
 * asked before it, because the commit index only grows.
 */
import type { ReadState } from '@ringleader/raft';
import type { ReadBarrierOutcome } from './raft-node.js';

interface Waiting {
  /** The question it is part of; 0 before it is asked. */
  context: number;
  readonly deadlineMs: number;
  readonly resolve: (outcome: ReadBarrierOutcome) => void;
}

interface Answered {
  readonly index: number;
  readonly deadlineMs: number;
  readonly resolve: (outcome: ReadBarrierOutcome) => void;
}

export class PendingReads {
  readonly #countMax: number;
  /** Contexts do not fall along it. */
  #waiting: Waiting[] = [];
  #answered: Answered[] = [];
  #lastContext = 0;
  #isQuestionDue = false;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get isQuestionDue(): boolean {
    return this.#isQuestionDue;
  }

  add(nowMs: number, timeoutMs: number): Promise<ReadBarrierOutcome> {
    if (this.#waiting.length >= this.#countMax) return Promise.resolve({ kind: 'unavailable' });
    this.#isQuestionDue = true;
    return new Promise((resolve) => {
      this.#waiting.push({ context: 0, deadlineMs: nowMs + timeoutMs, resolve });
    });
  }

  /** `ask` returns false when there is nobody to ask: then the question stays due. */
  askWith(ask: (context: number) => boolean): void {
    const context = this.#lastContext + 1;
    if (!ask(context)) return;
    this.#lastContext = context;
    this.#isQuestionDue = false;
    for (const waiting of this.#waiting) if (waiting.context === 0) waiting.context = context;
  }

  /** The leader may have changed, or a message may be lost. */
  askAgain(): void {
    if (this.#waiting.length > 0) this.#isQuestionDue = true;
  }

  answered({ context, index }: ReadState, appliedIndex: number): void {
    const isAnswered = (waiting: Waiting): boolean => waiting.context > 0 && waiting.context <= context;
    for (const waiting of this.#waiting) {
      if (isAnswered(waiting)) this.#answered.push({ ...waiting, index });
    }
    this.#waiting = this.#waiting.filter((waiting) => !isAnswered(waiting));
    this.applied(appliedIndex);
  }

  applied(appliedIndex: number): void {
    if (this.#answered.length === 0) return;
    const ready = this.#answered.filter(({ index }) => index <= appliedIndex);
    this.#answered = this.#answered.filter(({ index }) => index > appliedIndex);
    for (const { resolve } of ready) resolve({ kind: 'ready', index: appliedIndex });
  }

  /** Those that wait for entries that will not come here. */
  refuseBeyond(lastIndex: number): void {
    const hopeless = this.#answered.filter(({ index }) => index > lastIndex);
    if (hopeless.length === 0) return;
    this.#answered = this.#answered.filter(({ index }) => index <= lastIndex);
    for (const { resolve } of hopeless) resolve({ kind: 'unavailable' });
  }

  expire(nowMs: number): void {
    const isOver = ({ deadlineMs }: { readonly deadlineMs: number }): boolean => nowMs >= deadlineMs;
    const over = [...this.#waiting.filter(isOver), ...this.#answered.filter(isOver)];
    if (over.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting));
    this.#answered = this.#answered.filter((answered) => !isOver(answered));
    for (const { resolve } of over) resolve({ kind: 'unavailable' });
  }

  end(): void {
    this.expire(Infinity);
  }
}
