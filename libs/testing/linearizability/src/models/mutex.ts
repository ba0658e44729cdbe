import type { Model } from '../model.js';

export interface MutexInput {
  readonly op: 'acquire' | 'release';
}

/** A lock without owners: it can be acquired only when free, and released only when held. */
export const mutex: Model<boolean, MutexInput, undefined> = {
  name: 'mutex',
  initial: false,
  step: (held, { op }) => (held === (op === 'acquire') ? undefined : !held),
  stateKey: String,
  isReadOnly: () => false,
  describeInput: ({ op }) => op,
  describeOutput: () => 'done',
  describeState: (held) => (held ? 'held' : 'free'),
};
