import { Module } from '@nestjs/common';
import { ShardHealthService, ShardMetrics } from './health/shard-health.js';
import { PartitionsModule } from './partitions/partitions.module.js';

@Module({ imports: [PartitionsModule], providers: [ShardHealthService, ShardMetrics] })
export class AppModule {}
