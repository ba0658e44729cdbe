import { Module } from '@nestjs/common';
import { ShardHealthService } from './health/shard-health.service.js';
import { ShardMetrics } from './health/shard-metrics.js';
import { PartitionsModule } from './partitions/partitions.module.js';

@Module({ imports: [PartitionsModule], providers: [ShardHealthService, ShardMetrics] })
export class AppModule {}
