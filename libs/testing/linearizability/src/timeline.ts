/**
 * One object's operations, laid out for the search: the returns in order, and at each of them what may be linearized
 * before it.
 */
import type { Operation } from './history.js';
import type { Model } from './model.js';

export interface Completed<Input, Output> {
  readonly operation: Operation<Input, Output>;
  /** Its bit in a set of pending operations. Used again after its return, so that sets stay small. */
  readonly bit: bigint;
}

export interface Unknown<Input, Output> {
  readonly operation: Operation<Input, Output>;
  /** Its bit in a set of unknown operations; never used again. */
  readonly bit: bigint;
  /**
   * The bit of the latest earlier unknown operation with equal input, or 0: of equals, the earlier is always as good a
   * choice as the later, so the search takes them in order.
   */
  readonly after: bigint;
}

export interface Return<Input, Output> {
  readonly completed: Completed<Input, Output>;
  /** The completed operations in progress at this return, itself first, then by their own returns. */
  readonly pending: readonly Completed<Input, Output>[];
  /** How many of the unknown operations had been invoked by then. */
  readonly unknownCount: number;
}

export interface Timeline<Input, Output> {
  readonly returns: readonly Return<Input, Output>[];
  readonly unknown: readonly Unknown<Input, Output>[];
}

export function layOut<State, Input, Output>(
  model: Model<State, Input, Output>,
  recorded: readonly Operation<Input, Output>[],
): Timeline<Input, Output> {
  const operations = model.sharpen?.(recorded) ?? recorded;
  const unknown = layOutUnknown(model, operations);
  const byInvocation = operations
    .filter(({ outcome }) => outcome.kind === 'ok')
    .toSorted((a, b) => a.invokedAt - b.invokedAt);
  const byReturn = byInvocation.toSorted((a, b) => a.returnedAt - b.returnedAt);
  const pending = new Map<Operation<Input, Output>, Completed<Input, Output>>();
  const slots = new SlotPool();
  const returns: Return<Input, Output>[] = [];
  let invoked = 0;
  let unknownCount = 0;
  for (const operation of byReturn) {
    // What was invoked at the very instant of the return counts as concurrent with it.
    for (; invoked < byInvocation.length; invoked++) {
      const next = byInvocation[invoked]!;
      if (next.invokedAt > operation.returnedAt) break;
      pending.set(next, { operation: next, bit: 1n << BigInt(slots.take()) });
    }
    while (
      unknownCount < unknown.length &&
      unknown[unknownCount]!.operation.invokedAt <= operation.returnedAt
    ) {
      unknownCount += 1;
    }
    const completed = pending.get(operation)!;
    const inReturnOrder = [...pending.values()].sort(
      (a, b) => a.operation.returnedAt - b.operation.returnedAt,
    );
    const others = inReturnOrder.filter((other) => other !== completed);
    returns.push({ completed, pending: [completed, ...others], unknownCount });
    pending.delete(operation);
    slots.giveBack(completed.bit);
  }
  return { returns, unknown };
}

function layOutUnknown<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): Unknown<Input, Output>[] {
  const lastOfInput = new Map<string, bigint>();
  return operations
    .filter(({ outcome, input }) => outcome.kind === 'unknown' && !model.isReadOnly(input, outcome))
    .toSorted((a, b) => a.invokedAt - b.invokedAt)
    .map((operation, index) => {
      const bit = 1n << BigInt(index);
      const inputKey = JSON.stringify([operation.input, operation.outcome]);
      const after = lastOfInput.get(inputKey) ?? 0n;
      lastOfInput.set(inputKey, bit);
      return { operation, bit, after };
    });
}

/** The lowest free slot first, so that the bits in use stay low. */
class SlotPool {
  readonly #free: number[] = [];
  #next = 0;

  take(): number {
    return this.#free.pop() ?? this.#next++;
  }

  giveBack(bit: bigint): void {
    this.#free.push(bit.toString(2).length - 1);
  }
}
