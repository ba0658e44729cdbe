/** A violation in words: what was explained, what could not be, and what was going on at that time. */
import type { Operation } from './history.js';
import type { Model } from './model.js';
import type { Placed, SearchResult } from './search.js';

const PLACED_SHOWN_MAX = 12;
const PENDING_SHOWN_MAX = 12;

type Violation<State, Input, Output> = Extract<SearchResult<State, Input, Output>, { kind: 'violation' }>;

export function describeViolation<State, Input, Output>(
  model: Model<State, Input, Output>,
  object: string | undefined,
  { unexplained, placed, configurations }: Violation<State, Input, Output>,
): string {
  const order = inOrder(placed);
  const shown = order.slice(-PLACED_SHOWN_MAX);
  const pending = unexplained.pending
    .map(({ operation }) => operation)
    .filter((operation) => !order.some((step) => step.operation === operation));
  const [culprit, ...others] = pending;
  const lines = [
    `not linearizable as ${model.name}${object === undefined ? '' : `, object ${JSON.stringify(object)}`}` +
      ` (${configurations} configurations tried)`,
    `  longest order found, ${order.length} operations${shown.length < order.length ? `, the last ${shown.length}` : ''}:`,
    ...shown.map(
      ({ operation, state }) => `    ${describe(model, operation)}  =>  ${model.describeState(state)}`,
    ),
    `  state there: ${model.describeState(placed?.state ?? model.initial)}`,
    `  which does not explain: ${describe(model, culprit ?? unexplained.completed.operation)}`,
  ];
  if (others.length > 0) {
    lines.push(`  in progress at its return and not placed (${others.length}):`);
    lines.push(...others.slice(0, PENDING_SHOWN_MAX).map((operation) => `    ${describe(model, operation)}`));
  }
  lines.push(`  operations with unknown outcome until then: ${unexplained.unknownCount}`);
  return lines.join('\n');
}

function inOrder<State, Input, Output>(
  last: Placed<State, Input, Output> | undefined,
): Placed<State, Input, Output>[] {
  const order: Placed<State, Input, Output>[] = [];
  for (let step = last; step !== undefined; step = step.before) order.push(step);
  return order.reverse();
}

function describe<State, Input, Output>(
  model: Model<State, Input, Output>,
  { process, input, outcome, invokedAt, returnedAt }: Operation<Input, Output>,
): string {
  const became = outcome.kind === 'ok' ? model.describeOutput(outcome.output) : 'outcome unknown';
  const span = outcome.kind === 'ok' ? `[${invokedAt}, ${returnedAt}]` : `[${invokedAt}, ...`;
  return `${span} process ${process}: ${model.describeInput(input)} -> ${became}`;
}
