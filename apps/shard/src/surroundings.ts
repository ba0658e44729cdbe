import type { Coordinator } from '@ringleader/coordination';
import type { NatsConnection } from '@ringleader/nats';
import type { Logger } from '@ringleader/observability';
import type { ShardConfig } from './shard.config.js';

/** What the process has before the application begins; injected as one. */
export interface Surroundings {
  readonly config: ShardConfig;
  readonly logger: Logger;
  readonly connection: NatsConnection;
  readonly coordination: Coordinator;
}

export const SURROUNDINGS = Symbol('Surroundings');
