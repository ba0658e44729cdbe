import { type DynamicModule, Module } from '@nestjs/common';
import { MembershipService } from './health/membership.service.js';
import { ShardService } from './partitions/shard.service.js';
import { SURROUNDINGS, type Surroundings } from './surroundings.js';

@Module({})
export class AppModule {
  static in(surroundings: Surroundings): DynamicModule {
    return {
      module: AppModule,
      providers: [{ provide: SURROUNDINGS, useValue: surroundings }, ShardService, MembershipService],
    };
  }
}
