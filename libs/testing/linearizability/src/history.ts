/**
 * What a test recorded. An operation takes effect at one instant between its invocation and its return; one whose
 * outcome is unknown may take effect at any time after its invocation, or never.
 */
import { invariant } from '@ringleader/primitives';

export type Outcome<Output> =
  | { readonly kind: 'ok'; readonly output: Output }
  /** It may have taken effect or not; `ifDone` is what its answer would have said, where others' answers prove that. */
  | { readonly kind: 'unknown'; readonly ifDone?: Output };

export interface Operation<Input, Output> {
  readonly process: string | number;
  readonly input: Input;
  readonly outcome: Outcome<Output>;
  /** Any clock, as long as all operations are on the same one. Equal times count as concurrent. */
  readonly invokedAt: number;
  /** Ignored where the outcome is unknown. */
  readonly returnedAt: number;
}

/** One line of a recorded history, in real-time order. A process has at most one operation open. */
export type HistoryEvent<Input, Output> =
  | { readonly type: 'invoke'; readonly process: string | number; readonly input: Input }
  | { readonly type: 'ok'; readonly process: string | number; readonly output: Output }
  /** Certainly did not happen. Give an operation that was answered by a refusal the type `ok`, with that answer. */
  | { readonly type: 'fail'; readonly process: string | number }
  /** May have happened, may still happen, or never will: a time-out, a lost connection. */
  | { readonly type: 'info'; readonly process: string | number };

/** Pairs invocations with what became of them; one that is still open at the end has an unknown outcome. */
export function toOperations<Input, Output>(
  events: readonly HistoryEvent<Input, Output>[],
): Operation<Input, Output>[] {
  const open = new Map<string | number, { input: Input; invokedAt: number }>();
  const operations: Operation<Input, Output>[] = [];
  const close = (process: string | number, outcome: Outcome<Output>, returnedAt: number): void => {
    const invocation = open.get(process);
    invariant(invocation !== undefined, `toOperations: a return without an invocation, process ${process}`);
    open.delete(process);
    operations.push({ process, ...invocation, outcome, returnedAt });
  };
  events.forEach((event, at) => {
    const { process } = event;
    if (event.type === 'invoke') {
      invariant(!open.has(process), `toOperations: process ${process} invokes twice`);
      open.set(process, { input: event.input, invokedAt: at });
    } else if (event.type === 'ok') {
      close(process, { kind: 'ok', output: event.output }, at);
    } else if (event.type === 'info') {
      close(process, { kind: 'unknown' }, Number.POSITIVE_INFINITY);
    } else {
      invariant(open.delete(process), `toOperations: a failure without an invocation, process ${process}`);
    }
  });
  for (const process of [...open.keys()]) close(process, { kind: 'unknown' }, Number.POSITIVE_INFINITY);
  return operations;
}
