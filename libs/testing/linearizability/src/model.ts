import type { Operation, Outcome } from './history.js';

/** The sequential behaviour that a concurrent history is held against. */
export interface Model<State, Input, Output> {
  readonly name: string;
  readonly initial: State;
  /**
   * The state after the operation, or undefined if it could not have had that outcome in that state. With an unknown
   * outcome: the state if it takes effect. States are never changed in place.
   */
  step(state: State, input: Input, outcome: Outcome<Output>): State | undefined;
  /** Equal for equal states, different for different ones. */
  stateKey(state: State): string;
  /**
   * Linearizability is local (Herlihy and Wing 1990, theorem 1): a history is linearizable if its part on each object
   * is. Absent: the whole is one object.
   */
  objectOf?(input: Input): string;
  /**
   * True if the operation, with that outcome, changes no state whatever: reads and refusals. (Narrowing what the model
   * knows about the state is no change.)
   */
  isReadOnly(input: Input, outcome: Outcome<Output>): boolean;
  /**
   * True if no state that can follow this one allows the operation: then the search need not go on from here while the
   * operation is still to be placed. Absent: never.
   */
  isTooLate?(state: State, input: Input, outcome: Outcome<Output>): boolean;
  /**
   * Rewrites one object's operations into as many that allow the same orders but tell the search more about those with
   * unknown outcomes. Absent: as they are.
   */
  sharpen?(operations: readonly Operation<Input, Output>[]): readonly Operation<Input, Output>[];
  describeInput(input: Input): string;
  describeOutput(output: Output): string;
  describeState(state: State): string;
}
