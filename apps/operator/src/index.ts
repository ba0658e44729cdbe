export * from './planning/types.js';
export * from './resources/index.js';
