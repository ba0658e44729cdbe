export * from './cluster.js';
export * from './coordinators.js';
export * from './keys-and-values.js';
export * from './limits.js';
export * from './placement.js';
export * from './problem.js';
export * from './repeated-field.js';
export * from './tokens.js';
