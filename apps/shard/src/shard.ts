import type { ServiceDefinition } from '@ringleader/service-host';
import { AppModule } from './app.module.js';
import { ShardConfig, shardConfigSchema } from './shard.config.js';

export const shard = {
  service: 'shard',
  schema: shardConfigSchema,
  config: ShardConfig,
  module: AppModule,
  // Its pod has 120 s, of which the last 30 are the database's.
  stopWithinMs: 90_000,
  carriesBulk: true,
  notStarted: 'the schema of the database is not migrated yet',
} as const satisfies ServiceDefinition<typeof shardConfigSchema>;
