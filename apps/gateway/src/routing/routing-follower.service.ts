import { Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { PartitionMapMirror } from '@ringleader/coordination';
import { LeaderAnnouncements } from '../transport/leader-announcements.nats.js';
import { NatsShardFrames } from '../transport/shard-frames.nats.js';

/** Keeps what requests are routed by up to date, from before the first request until after the last. */
@Injectable()
export class RoutingFollower implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly map: PartitionMapMirror,
    private readonly announcements: LeaderAnnouncements,
    private readonly frames: NatsShardFrames,
  ) {}

  onApplicationBootstrap(): void {
    void this.map.start();
    this.announcements.start();
  }

  beforeApplicationShutdown(): void {
    this.map.stop();
    this.announcements.close();
    this.frames.close();
  }
}
