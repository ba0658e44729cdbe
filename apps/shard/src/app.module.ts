import { type DynamicModule, Module } from '@nestjs/common';
import type { NatsConnection } from '@ringleader/nats';
import type { Logger } from '@ringleader/observability';
import { MembershipService } from './health/membership.service.js';
import { ShardService } from './partitions/shard.service.js';
import type { ShardConfig } from './shard.config.js';
import { CONFIG, LOGGER, NATS } from './tokens.js';

export interface Surroundings {
  readonly config: ShardConfig;
  readonly logger: Logger;
  readonly connection: NatsConnection;
}

@Module({})
export class AppModule {
  static in({ config, logger, connection }: Surroundings): DynamicModule {
    return {
      module: AppModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: NATS, useValue: connection },
        ShardService,
        MembershipService,
      ],
    };
  }
}
