/**
 * Is there an order of the operations of one object that respects real time and that the model allows?
 *
 * Wing and Gong's search ("Testing and verifying concurrent objects", 1993) with Lowe's two improvements ("Testing for
 * linearizability", 2017): just-in-time linearization (an operation is placed only when the next return demands it) and
 * a memory of the configurations already tried. Four more, each sound because the operation or configuration left out
 * could never have helped:
 * - a read or a refusal that fits is placed at once (a write of the value that is there already is not: it may be needed
 *   again later);
 * - an operation with an unknown outcome need not be placed at all, so a configuration that spent more of them than
 *   another with the same state at the same point is not tried;
 * - a configuration in which an operation comes too late for good (the model says so) is not pursued;
 * - of unknown operations with equal inputs the earliest is placed first.
 */
import type { Operation } from './history.js';
import type { Model } from './model.js';
import { layOut, type Return, type Timeline } from './timeline.js';

/** One placed operation and, through `before`, all placed before it. */
export interface Placed<State, Input, Output> {
  readonly operation: Operation<Input, Output>;
  readonly state: State;
  readonly before: Placed<State, Input, Output> | undefined;
}

export type SearchResult<State, Input, Output> =
  | { readonly kind: 'linearizable'; readonly configurations: number }
  | {
      readonly kind: 'violation';
      readonly configurations: number;
      /** The return that no order explains, and the longest order found up to it. */
      readonly unexplained: Return<Input, Output>;
      readonly placed: Placed<State, Input, Output> | undefined;
    }
  /** More configurations than allowed. */
  | { readonly kind: 'exhausted'; readonly configurations: number };

interface Configuration<State, Input, Output> {
  /** Index of the next return to explain. */
  at: number;
  /** Completed operations placed but not yet returned at `at`. */
  ahead: bigint;
  /** Unknown operations placed. */
  spent: bigint;
  state: State;
  placed: Placed<State, Input, Output> | undefined;
}

export function search<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  configurationsMax: number,
): SearchResult<State, Input, Output> {
  return new Search(model, layOut(model, operations)).run(configurationsMax);
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #timeline: Timeline<Input, Output>;
  /** Per (return, placed ahead, state): the sets of unknown operations that were spent to get there, none containing another. */
  readonly #tried = new Map<string, bigint[]>();
  readonly #stack: Configuration<State, Input, Output>[] = [];
  #configurations = 0;
  #furthest: Configuration<State, Input, Output>;

  constructor(model: Model<State, Input, Output>, timeline: Timeline<Input, Output>) {
    this.#model = model;
    this.#timeline = timeline;
    this.#furthest = { at: 0, ahead: 0n, spent: 0n, state: model.initial, placed: undefined };
  }

  run(configurationsMax: number): SearchResult<State, Input, Output> {
    this.#stack.push({ ...this.#furthest });
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      this.#placeReads(next);
      if (next.at === this.#timeline.returns.length) {
        return { kind: 'linearizable', configurations: this.#configurations };
      }
      if (!this.#remember(next)) continue;
      if (this.#configurations > configurationsMax) {
        return { kind: 'exhausted', configurations: this.#configurations };
      }
      if (next.at > this.#furthest.at) this.#furthest = next;
      this.#expand(next);
    }
    return {
      kind: 'violation',
      configurations: this.#configurations,
      unexplained: this.#timeline.returns[this.#furthest.at]!,
      placed: this.#furthest.placed,
    };
  }

  /** Passes over returns of placed operations, and places pending reads that fit and teach nothing about the state. */
  #placeReads(next: Configuration<State, Input, Output>): void {
    const { returns } = this.#timeline;
    const stateKey = this.#model.stateKey(next.state);
    for (; next.at < returns.length; next.at++) {
      const { completed, pending } = returns[next.at]!;
      for (const { operation, bit } of pending) {
        if ((next.ahead & bit) !== 0n || !this.#model.isReadOnly(operation.input, operation.outcome))
          continue;
        const state = this.#model.step(next.state, operation.input, operation.outcome);
        if (state === undefined || this.#model.stateKey(state) !== stateKey) continue;
        next.ahead |= bit;
        next.placed = { operation, state, before: next.placed };
      }
      if ((next.ahead & completed.bit) === 0n) return;
      next.ahead ^= completed.bit;
    }
  }

  /** False if this configuration, or one that could do all that this one can, was tried before. */
  #remember({ at, ahead, spent, state }: Configuration<State, Input, Output>): boolean {
    const key = `${at}/${ahead}/${this.#model.stateKey(state)}`;
    const tried = this.#tried.get(key);
    if (tried === undefined) {
      this.#tried.set(key, [spent]);
    } else {
      if (tried.some((less) => (less & spent) === less)) return false;
      this.#tried.set(key, [...tried.filter((more) => (more & spent) !== spent), spent]);
    }
    this.#configurations += 1;
    return true;
  }

  /**
   * Pushes what could be placed next, the most promising last, since the stack gives it back first: the operation whose
   * return must be explained, then other completed ones, then unknown ones, of which the latest is the likeliest.
   */
  #expand(from: Configuration<State, Input, Output>): void {
    const { pending, unknownCount } = this.#timeline.returns[from.at]!;
    for (let i = 0; i < unknownCount; i++) {
      const { operation, bit, after } = this.#timeline.unknown[i]!;
      if ((from.spent & bit) !== 0n || (from.spent & after) !== after) continue;
      this.#push(from, operation, { ahead: from.ahead, spent: from.spent | bit });
    }
    for (let i = pending.length - 1; i >= 0; i--) {
      const { operation, bit } = pending[i]!;
      if ((from.ahead & bit) !== 0n) continue;
      this.#push(from, operation, { ahead: from.ahead | bit, spent: from.spent });
    }
  }

  /** Whether an operation that must still be placed cannot be, whatever comes. */
  #isDeadEnd(at: number, ahead: bigint, state: State): boolean {
    const model = this.#model;
    if (model.isTooLate === undefined) return false;
    for (const { operation, bit } of this.#timeline.returns[at]!.pending) {
      if ((ahead & bit) === 0n && model.isTooLate(state, operation.input, operation.outcome)) return true;
    }
    return false;
  }

  #push(
    from: Configuration<State, Input, Output>,
    operation: Operation<Input, Output>,
    sets: { ahead: bigint; spent: bigint },
  ): void {
    const state = this.#model.step(from.state, operation.input, operation.outcome);
    if (state === undefined || this.#isDeadEnd(from.at, sets.ahead, state)) return;
    this.#stack.push({ at: from.at, ...sets, state, placed: { operation, state, before: from.placed } });
  }
}
