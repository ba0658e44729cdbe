import { Module } from '@nestjs/common';
import { NatsLinks } from '@ringleader/nats';
import { Self, ServiceClock } from '@ringleader/service-host';
import { DatabasePreparation } from '../storage/database-preparation.js';
import { NatsDataPath } from './data-path.nats.js';
import { ShardActivity } from './shard-activity.js';
import { ShardClock } from './shard-clock.js';
import { ShardService, ShardSurroundings } from './shard.service.js';

@Module({
  providers: [
    ShardActivity,
    // Made at once: it waits for nobody.
    DatabasePreparation,
    {
      provide: ShardClock,
      useFactory: (clock: ServiceClock) => new ShardClock(clock),
      inject: [ServiceClock],
    },
    {
      provide: NatsDataPath,
      useFactory: (links: NatsLinks, { cluster }: Self, clock: ServiceClock) =>
        new NatsDataPath(links, cluster, () => clock.monotonicMs()),
      inject: [NatsLinks, Self, ServiceClock],
    },
    ShardSurroundings,
    ShardService,
  ],
  exports: [ShardService],
})
export class PartitionsModule {}
