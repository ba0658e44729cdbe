import { Module } from '@nestjs/common';
import { RaftModule } from './raft.module.js';
import { ReplicatedStore } from './replicated-store.service.js';
import { StoreController } from './store.controller.js';

@Module({
  imports: [RaftModule],
  controllers: [StoreController],
  providers: [ReplicatedStore],
  exports: [RaftModule, ReplicatedStore],
})
export class StoreModule {}
