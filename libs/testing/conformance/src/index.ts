export * from './shard-storage.js';
