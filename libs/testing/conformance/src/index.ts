export * from './shard-storage.js';
export * from './row-digests.js';
export * from './rows-past.js';
