export * from './array-parameter.js';
export * from './data-source.js';
export * from './database-facts.js';
export * from './hot-connection.js';
export * from './postgres-error.js';
