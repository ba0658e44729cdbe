export * from './fatal-errors.js';
export * from './health.js';
export * from './heap-pressure.js';
export * from './injectables.js';
export * from './membership.js';
export * from './run-service.js';
export * from './signs-of-life.js';
export * from './start-service.js';
