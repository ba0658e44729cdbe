export * from './shard.config.js';
export * from './start-shard.js';
