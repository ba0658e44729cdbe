import { Module } from '@nestjs/common';
import { RaftModule } from './raft.module.js';
import { ReplicatedStore } from './replicated-store.service.js';
import { StoreController } from './store.controller.js';
import { WatchService } from './watch.service.js';

@Module({
  imports: [RaftModule],
  controllers: [StoreController],
  providers: [ReplicatedStore, WatchService],
  exports: [RaftModule, ReplicatedStore, WatchService],
})
export class StoreModule {}
