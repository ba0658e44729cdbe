import { describeViolation } from './counterexample.js';
import { toOperations, type HistoryEvent, type Operation } from './history.js';
import type { Model } from './model.js';
import { search } from './search.js';

export interface CheckOptions {
  /** Per object; bounds time and memory (some 200 bytes each). */
  readonly configurationsMax?: number;
}

export type CheckResult =
  | { readonly verdict: 'linearizable'; readonly operations: number; readonly configurations: number }
  | {
      readonly verdict: 'violation';
      readonly operations: number;
      readonly configurations: number;
      /** Undefined for a model without objects. */
      readonly object: string | undefined;
      /** Several lines for people. */
      readonly counterexample: string;
    }
  /** No violation found, but these objects were too hard to decide within the bound. */
  | {
      readonly verdict: 'unknown';
      readonly operations: number;
      readonly configurations: number;
      readonly undecided: readonly string[];
    };

const CONFIGURATIONS_MAX = 500_000;

/** For histories recorded as events in real-time order. */
export function checkHistory<State, Input, Output>(
  model: Model<State, Input, Output>,
  events: readonly HistoryEvent<Input, Output>[],
  options: CheckOptions = {},
): CheckResult {
  return checkOperations(model, toOperations(events), options);
}

/** For histories recorded as operations with times. A violation of any object outweighs undecided ones. */
export function checkOperations<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  { configurationsMax = CONFIGURATIONS_MAX }: CheckOptions = {},
): CheckResult {
  const undecided: string[] = [];
  let configurations = 0;
  for (const [object, own] of byObject(model, operations)) {
    const result = search(model, own, configurationsMax);
    configurations += result.configurations;
    if (result.kind === 'violation') {
      const counterexample = describeViolation(model, object, result);
      return { verdict: 'violation', operations: operations.length, configurations, object, counterexample };
    }
    if (result.kind === 'exhausted') undecided.push(object ?? model.name);
  }
  return undecided.length > 0
    ? { verdict: 'unknown', operations: operations.length, configurations, undecided }
    : { verdict: 'linearizable', operations: operations.length, configurations };
}

function byObject<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): Map<string | undefined, Operation<Input, Output>[]> {
  const objects = new Map<string | undefined, Operation<Input, Output>[]>();
  for (const operation of operations) {
    const object = model.objectOf?.(operation.input);
    const own = objects.get(object);
    if (own === undefined) objects.set(object, [operation]);
    else own.push(operation);
  }
  return objects;
}
