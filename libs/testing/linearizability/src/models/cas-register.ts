import type { Model } from '../model.js';

export type CasRegisterInput<Value> =
  | { readonly op: 'read' }
  | { readonly op: 'write'; readonly value: Value }
  | { readonly op: 'cas'; readonly expected: Value; readonly value: Value };

export type CasRegisterOutput<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'done' }
  | { readonly kind: 'differed' };

/** One register with compare-and-set. A cas that `differed` asserts that the value was another one. */
export function casRegister<Value extends number | string | null>(
  initial: Value,
): Model<Value, CasRegisterInput<Value>, CasRegisterOutput<Value>> {
  return {
    name: 'cas-register',
    initial,
    step(state, input, outcome) {
      const output = outcome.kind === 'ok' ? outcome.output : undefined;
      switch (input.op) {
        case 'read':
          return output?.kind !== 'value' || output.value === state ? state : undefined;
        case 'write':
          return input.value;
        case 'cas':
          if (output?.kind === 'differed') return state === input.expected ? undefined : state;
          return state === input.expected ? input.value : undefined;
      }
    },
    stateKey: (state) => JSON.stringify(state),
    isReadOnly: (input, outcome) =>
      input.op === 'read' || (outcome.kind === 'ok' && outcome.output.kind === 'differed'),
    describeInput: (input) =>
      input.op === 'read'
        ? 'read'
        : input.op === 'write'
          ? `write ${input.value}`
          : `cas ${input.expected} to ${input.value}`,
    describeOutput: (output) => (output.kind === 'value' ? `${output.value}` : output.kind),
    describeState: (state) => `${state}`,
  };
}
