import type { Outcome } from './history.js';

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
  describeInput(input: Input): string;
  describeOutput(output: Output): string;
  describeState(state: State): string;
}
