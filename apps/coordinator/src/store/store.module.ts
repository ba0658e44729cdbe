import { Module } from '@nestjs/common';
import { RaftModule } from '../raft/raft.module.js';
import { RangeService } from './range.service.js';
import { ReplicatedStore } from './replicated-store.service.js';
import { StoreController } from './store.controller.js';
import { TxnService } from './txn.service.js';
import { WatchService } from './watch.service.js';

@Module({
  imports: [RaftModule],
  controllers: [StoreController],
  providers: [ReplicatedStore, RangeService, TxnService, WatchService],
  exports: [ReplicatedStore, WatchService],
})
export class StoreModule {}
