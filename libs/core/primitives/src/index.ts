export * from './back-off.js';
export * from './byte-reader.js';
export * from './byte-writer.js';
export * from './clock.js';
export * from './ids.js';
export * from './invariant.js';
export * from './key-order.js';
export * from './prng.js';
