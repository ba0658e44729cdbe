/** Where requests go, and what carries them there. */
import { type BeforeApplicationShutdown, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { TargetLoads } from '@ringleader/balancer';
import { PartitionMapMirror } from '@ringleader/coordination';
import { GatewayClock, HybridClock } from '@ringleader/hybrid-clock';
import { NatsLink, NatsLinks } from '@ringleader/nats';
import { systemClock } from '@ringleader/observability';
import { seededPrng } from '@ringleader/primitives';
import { Coordination, Self, ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { GatewayConfig } from '../gateway.config.js';
import { LeaderAnnouncements, NatsShardFrames } from './data-path.nats.js';
import { ReplicaPicker } from './replica-picker.js';
import { RequestRouter, createRouter } from './request-router.js';
import { LeaderTable, RoutingTable } from './routing-table.js';
import { ShardDirectory } from './shard-directory.js';
import { DEFAULT_CHANNEL_LIMITS } from './shard-channel.js';

const UINT32 = 2 ** 32;
const monotonicMs = (): number => systemClock.monotonicMs();

@Module({
  providers: [
    ShardDirectory,
    TargetLoads,
    { provide: LeaderTable, useFactory: () => new LeaderTable() },
    {
      provide: ReplicaPicker,
      useFactory: replicaPicker,
      inject: [GatewayConfig, ShardDirectory, TargetLoads],
    },
    {
      provide: HybridClock,
      useFactory: (clock: ServiceClock) => new GatewayClock(clock),
      inject: [ServiceClock],
    },
    {
      provide: PartitionMapMirror,
      useFactory: (client: Coordination, clock: ServiceClock, logger: ServiceLogger, leaders: LeaderTable) =>
        new PartitionMapMirror({
          client,
          clock,
          onChange: (changed) => {
            for (const { partition, recovery } of changed)
              if (recovery !== undefined) leaders.recovered(partition, recovery.epoch);
          },
          onTrouble: (error) => logger.warn({ error }, 'The partition map cannot be followed'),
        }),
      inject: [Coordination, ServiceClock, ServiceLogger, LeaderTable],
    },
    {
      provide: RoutingTable,
      useFactory: routingTable,
      inject: [LeaderTable, PartitionMapMirror, ReplicaPicker],
    },
    {
      provide: NatsShardFrames,
      useFactory: (links: NatsLinks, { cluster, id: gatewayId }: Self, { stamp: hybridNow }: HybridClock) =>
        new NatsShardFrames({ link: links.data, cluster, gatewayId, hybridNow, monotonicMs }),
      inject: [NatsLinks, Self, HybridClock],
    },
    {
      provide: RequestRouter,
      useFactory: requestRouter,
      inject: [GatewayConfig, NatsLinks, NatsShardFrames, LeaderTable, TargetLoads, HybridClock],
    },
    {
      provide: LeaderAnnouncements,
      useFactory: leaderAnnouncements,
      inject: [NatsLink, Self, LeaderTable, RequestRouter, HybridClock],
    },
  ],
  exports: [
    HybridClock,
    ShardDirectory,
    PartitionMapMirror,
    NatsShardFrames,
    LeaderTable,
    ReplicaPicker,
    RoutingTable,
    RequestRouter,
  ],
})
export class RoutingModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly map: PartitionMapMirror,
    private readonly announcements: LeaderAnnouncements,
    private readonly frames: NatsShardFrames,
  ) {}

  /** What requests are routed by is kept up to date from before the first request until after the last. */
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

function replicaPicker(config: GatewayConfig, shards: ShardDirectory, loads: TargetLoads): ReplicaPicker {
  return new ReplicaPicker({
    ...{ shards, loads },
    strategy: config.RINGLEADER_BALANCER,
    slowStartMs: config.RINGLEADER_SLOW_START_MS,
    prng: seededPrng(Math.floor(Math.random() * UINT32)),
  });
}

function routingTable(leaders: LeaderTable, map: PartitionMapMirror, replicas: ReplicaPicker): RoutingTable {
  return new RoutingTable({ leaders, map, replicas });
}

/** In the order of `inject`. */
type RouterIngredients = [GatewayConfig, NatsLinks, NatsShardFrames, LeaderTable, TargetLoads, HybridClock];

function requestRouter(...ingredients: RouterIngredients): RequestRouter {
  const [config, { data }, frames, leaders, loads, hybridClock] = ingredients;
  const router = createRouter({
    frames,
    leaders,
    loads,
    clock: systemClock,
    mergeClock: hybridClock.merge,
    // What was admitted with its body finds room: it is refused before the body, or not at all.
    channelLimits: { ...DEFAULT_CHANNEL_LIMITS, queuedBytesMax: config.RINGLEADER_REQUEST_BYTES_MAX },
    inFlightMax: config.RINGLEADER_OPERATIONS_MAX,
  });
  data.onChange((isConnected) => {
    if (isConnected) router.transportRestored();
  });
  return router;
}

/** In the order of `inject`. */
type AnnouncementsIngredients = [NatsLink, Self, LeaderTable, RequestRouter, HybridClock];

function leaderAnnouncements(...ingredients: AnnouncementsIngredients): LeaderAnnouncements {
  const [link, { cluster, id: gatewayId }, leaders, router, { merge: mergeClock }] = ingredients;
  return new LeaderAnnouncements({
    ...{ link, cluster, gatewayId, leaders, monotonicMs, mergeClock },
    onChange: (partitions) => router.leadersChanged(partitions),
  });
}
