import type { ShardParts } from './parts.js';

export type ShardContext = ShardParts;
