export * from './classify.js';
export * from './ledger.js';
export * from './mixed-load.js';
export * from './recorded-operation.js';
export * from './rest-client.js';
export * from './to-history.js';
export * from './under-load.js';
