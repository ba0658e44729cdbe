import { Module } from '@nestjs/common';
import { Nats, Self, ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { NatsDataPath } from './data-path.nats.js';
import { ShardActivity } from './shard-activity.js';
import { ShardClock } from './shard-clock.js';
import { ShardService } from './shard.service.js';
import { ShardSurroundings } from './shard-surroundings.js';

@Module({
  providers: [
    ShardActivity,
    {
      provide: ShardClock,
      useFactory: (clock: ServiceClock) => new ShardClock(clock),
      inject: [ServiceClock],
    },
    {
      provide: NatsDataPath,
      useFactory: (nats: Nats, { cluster }: Self, logger: ServiceLogger) =>
        new NatsDataPath(nats, cluster, logger),
      inject: [Nats, Self, ServiceLogger],
    },
    ShardSurroundings,
    ShardService,
  ],
  exports: [ShardService],
})
export class PartitionsModule {}
