import { builtinModules } from 'node:module';

/**
 * A pure core computes: time, random numbers, messages and storage results are its arguments. Whatever could bring
 * them in by another way is an error here, because one hidden clock makes a simulation unrepeatable.
 */

const IMPURE_GLOBALS = {
  Date: 'time is an argument (see Clock in @ringleader/primitives)',
  performance: 'time is an argument (see Clock in @ringleader/primitives)',
  setTimeout: 'a core says when it wants to be called; the shell sets the timer',
  setInterval: 'a core says when it wants to be called; the shell sets the timer',
  setImmediate: 'a core says when it wants to be called; the shell sets the timer',
  queueMicrotask: 'a core says when it wants to be called; the shell sets the timer',
  clearTimeout: 'a core has no timers',
  clearInterval: 'a core has no timers',
  process: 'a core knows nothing of the process it runs in',
  crypto: 'randomness is an argument (see Prng in @ringleader/primitives)',
  console: 'a core returns events; the shell logs them',
  fetch: 'a core has no I/O',
  Buffer: 'use Uint8Array',
  globalThis: 'a core has no global state',
  Promise: 'a core is synchronous',
};

export const corePurityRules = {
  'no-restricted-globals': [
    'error',
    ...Object.entries(IMPURE_GLOBALS).map(([name, message]) => ({ name, message })),
  ],
  'no-restricted-properties': [
    'error',
    {
      object: 'Math',
      property: 'random',
      message: 'randomness is an argument (see Prng in @ringleader/primitives)',
    },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: builtinModules.map((name) => ({ name, message: 'a core has no I/O' })),
      patterns: [{ group: ['node:*'], message: 'a core has no I/O' }],
    },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: ':function[async=true]', message: 'a core is synchronous' },
    { selector: 'AwaitExpression', message: 'a core is synchronous' },
    { selector: 'ForOfStatement[await=true]', message: 'a core is synchronous' },
    { selector: 'ImportExpression', message: 'a core imports statically' },
    { selector: 'Decorator', message: 'a core knows no framework' },
  ],
};
