import type { Model } from '../model.js';

export type KvAppendInput =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'put' | 'append'; readonly key: string; readonly value: string };

/** What a get returned; undefined for the others. */
export type KvAppendOutput = string | undefined;

/** Strings by key, at first empty, with an append that returns nothing. */
export const kvAppend: Model<string, KvAppendInput, KvAppendOutput> = {
  name: 'kv-append',
  initial: '',
  step(state, input, outcome) {
    switch (input.op) {
      case 'get':
        return outcome.kind === 'unknown' || outcome.output === state ? state : undefined;
      case 'put':
        return input.value;
      case 'append':
        return state + input.value;
    }
  },
  stateKey: (state) => state,
  objectOf: (input) => input.key,
  isReadOnly: (input) => input.op === 'get',
  describeInput: (input) =>
    input.op === 'get' ? `get ${input.key}` : `${input.op} ${input.key} ${JSON.stringify(input.value)}`,
  describeOutput: (output) => (output === undefined ? 'done' : JSON.stringify(output)),
  describeState: (state) => JSON.stringify(state),
};
