export * from './load-config.js';
export * from './memory.js';
export * from './nats-config.js';
export * from './unknown-variables.js';
