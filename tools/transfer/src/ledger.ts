import type { BatchOutcome } from './batch-sender.js';
import type { Refusal } from './import-line.js';

/** How far the input is settled: every line before this place is stored or refused. */
export interface Position {
  readonly offset: number;
  readonly lines: number;
  readonly created: number;
  readonly replaced: number;
  readonly refused: number;
}

export const START: Position = { offset: 0, lines: 0, created: 0, replaced: 0, refused: 0 };

interface Entry {
  readonly end: number;
  readonly lastLine: number;
  outcome: BatchOutcome | undefined;
}

/**
 * Batches are sent several at a time and end in any order; a resumed import begins where the first one that is not
 * settled began. The ledger keeps them in the input's order and moves the position over those that are done.
 */
export class Ledger {
  readonly #open: Entry[] = [];

  constructor(private position: Position) {}

  get settled(): Position {
    return this.position;
  }

  /** Enters a batch that reaches to `end`; gives what to call with its outcome. */
  enter(end: number, lastLine: number): (outcome: BatchOutcome) => readonly Refusal[] {
    const entry: Entry = { end, lastLine, outcome: undefined };
    this.#open.push(entry);
    return (outcome) => {
      entry.outcome = outcome;
      return this.#advance();
    };
  }

  #advance(): Refusal[] {
    const refusals: Refusal[] = [];
    for (let first = this.#open[0]; first?.outcome !== undefined; first = this.#open[0]) {
      this.#open.shift();
      const { created, replaced, refusals: refused } = first.outcome;
      refusals.push(...refused);
      this.position = {
        offset: first.end,
        lines: first.lastLine,
        created: this.position.created + created,
        replaced: this.position.replaced + replaced,
        refused: this.position.refused + refused.length,
      };
    }
    return refusals;
  }
}
