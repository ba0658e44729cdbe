import type { Model } from '../model.js';

/** Reads and writes of several registers in one atomic operation; a read carries null until it is answered. */
export interface MultiRegisterInput {
  readonly transaction: readonly (
    | { readonly op: 'read'; readonly register: string }
    | { readonly op: 'write'; readonly register: string; readonly value: number }
  )[];
}

/** What the transaction's reads returned, in their order. */
export type MultiRegisterOutput = readonly (number | null)[];

type Registers = ReadonlyMap<string, number>;

/** Atomic transactions over registers that start as null: not local, so the whole history is one object. */
export const multiRegister: Model<Registers, MultiRegisterInput, MultiRegisterOutput> = {
  name: 'multi-register',
  initial: new Map(),
  step(state, input, outcome) {
    const registers = new Map(state);
    let reads = 0;
    for (const part of input.transaction) {
      if (part.op === 'write') {
        registers.set(part.register, part.value);
        continue;
      }
      const read = reads++;
      if (outcome.kind === 'ok' && outcome.output[read] !== (registers.get(part.register) ?? null))
        return undefined;
    }
    return registers;
  },
  stateKey: (state) => JSON.stringify([...state].sort(([a], [b]) => (a < b ? -1 : 1))),
  isReadOnly: (input) => input.transaction.every(({ op }) => op === 'read'),
  describeInput: (input) =>
    input.transaction
      .map((part) => (part.op === 'read' ? `read ${part.register}` : `${part.register} := ${part.value}`))
      .join(', '),
  describeOutput: (output) => (output.length === 0 ? 'done' : output.join(', ')),
  describeState: (state) => JSON.stringify(Object.fromEntries(state)),
};
