import { Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { Suspects } from '../routing/suspects.js';
import { ClusterObserver } from './cluster-observer.js';

@Injectable()
export class ClusterFollower implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly observer: ClusterObserver,
    suspects: Suspects,
  ) {
    suspects.isSuspect = (shard) => observer.isSuspect(shard);
  }

  onApplicationBootstrap(): void {
    this.observer.start();
  }

  beforeApplicationShutdown(): void {
    this.observer.stop();
  }
}
