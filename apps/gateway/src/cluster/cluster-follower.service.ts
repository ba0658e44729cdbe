import { Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { ShardDirectory } from '../routing/routing-table.js';
import { ClusterObserver } from './cluster-observer.js';

@Injectable()
export class ClusterFollower implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly observer: ClusterObserver,
    shards: ShardDirectory,
  ) {
    shards.isSuspect = (shard) => observer.isSuspect(shard);
  }

  onApplicationBootstrap(): void {
    this.observer.start();
  }

  beforeApplicationShutdown(): void {
    this.observer.stop();
  }
}
