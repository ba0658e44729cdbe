export * from './planning/types.js';
