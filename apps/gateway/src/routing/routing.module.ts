/** Where requests go, and what carries them there. */
import { Module } from '@nestjs/common';
import { createBalancer } from '@ringleader/balancer';
import { PartitionMapMirror } from '@ringleader/coordination';
import { HybridClock } from '@ringleader/hybrid-clock';
import { NatsLink, NatsLinks } from '@ringleader/nats';
import { systemClock } from '@ringleader/observability';
import { seededPrng } from '@ringleader/primitives';
import { Coordination, Self, ServiceClock, ServiceLogger, injectable } from '@ringleader/service-host';
import { GatewayConfig } from '../gateway.config.js';
import { KeyValueStore } from '../kv/key-value-store.js';
import { LeaderAnnouncements } from '../transport/leader-announcements.nats.js';
import { NatsShardFrames } from '../transport/shard-frames.nats.js';
import { LeaderTable } from './leader-table.js';
import { DEFAULT_CHANNEL_LIMITS, createRequestPath } from './request-path.js';
import type { RequestPath } from './request-path.js';
import { RequestRouter } from './request-router.js';
import { RoutingFollower } from './routing-follower.service.js';
import { ShardDirectory } from './shard-directory.js';
import { Suspects } from './suspects.js';

const UINT32 = 2 ** 32;

/** Made as one, because its parts know each other. */
abstract class PathParts extends injectable<RequestPath>() {}

@Module({
  providers: [
    ShardDirectory,
    Suspects,
    {
      provide: HybridClock,
      useFactory: (clock: ServiceClock) => new HybridClock(clock),
      inject: [ServiceClock],
    },
    {
      provide: PartitionMapMirror,
      useFactory: (client: Coordination, clock: ServiceClock, logger: ServiceLogger) =>
        new PartitionMapMirror({
          client,
          clock,
          onTrouble: (error) => logger.warn({ error }, 'The partition map cannot be followed'),
        }),
      inject: [Coordination, ServiceClock, ServiceLogger],
    },
    {
      provide: NatsShardFrames,
      useFactory: (links: NatsLinks, { cluster, id: gatewayId }: Self, { stamp: hybridNow }: HybridClock) =>
        new NatsShardFrames({
          ...{ link: links.data, cluster, gatewayId, hybridNow },
          monotonicMs: () => systemClock.monotonicMs(),
        }),
      inject: [NatsLinks, Self, HybridClock],
    },
    {
      provide: PathParts,
      useFactory: requestPath,
      inject: [
        GatewayConfig,
        NatsShardFrames,
        PartitionMapMirror,
        HybridClock,
        ShardDirectory,
        Suspects,
        ServiceClock,
      ],
    },
    { provide: LeaderTable, useFactory: ({ leaders }: PathParts) => leaders, inject: [PathParts] },
    { provide: RequestRouter, useFactory: ({ router }: PathParts) => router, inject: [PathParts] },
    { provide: KeyValueStore, useFactory: ({ store }: PathParts) => store, inject: [PathParts] },
    {
      provide: LeaderAnnouncements,
      useFactory: (link: NatsLink, self: Self, { leaders, router }: PathParts, hybridClock: HybridClock) =>
        new LeaderAnnouncements({
          ...{ link, cluster: self.cluster, gatewayId: self.id, leaders },
          monotonicMs: () => systemClock.monotonicMs(),
          mergeClock: hybridClock.merge,
          onChange: (partitions) => router.leadersChanged(partitions),
        }),
      inject: [NatsLink, Self, PathParts, HybridClock],
    },
    RoutingFollower,
  ],
  exports: [
    HybridClock,
    ShardDirectory,
    Suspects,
    PartitionMapMirror,
    NatsShardFrames,
    LeaderTable,
    RequestRouter,
    KeyValueStore,
  ],
})
export class RoutingModule {
  constructor({ control, data }: NatsLinks, announcements: LeaderAnnouncements, router: RequestRouter) {
    control.onChange((isConnected) => {
      // What was announced meanwhile was missed.
      if (isConnected) announcements.ask();
    });
    data.onChange((isConnected) => {
      if (isConnected) router.transportRestored();
    });
  }
}

/** In the order of `inject`. */
type PathIngredients = [
  GatewayConfig,
  NatsShardFrames,
  PartitionMapMirror,
  HybridClock,
  ShardDirectory,
  Suspects,
  ServiceClock,
];

function requestPath(...ingredients: PathIngredients): RequestPath {
  const [config, frames, map, hybridClock, shardDirectory, suspects, clock] = ingredients;
  return createRequestPath({
    ...{ frames, map, clock, hybridClock, shardDirectory },
    balancer: createBalancer(config.RINGLEADER_BALANCER, seededPrng(Math.floor(Math.random() * UINT32))),
    isSuspect: (shard) => suspects.isSuspect(shard),
    limits: {
      operationsMax: config.RINGLEADER_OPERATIONS_MAX,
      // What was admitted with its body finds room: it is refused before the body, or not at all.
      channel: { ...DEFAULT_CHANNEL_LIMITS, queuedBytesMax: config.RINGLEADER_REQUEST_BYTES_MAX },
      repeatsRemembered: config.RINGLEADER_REPEATS_REMEMBERED,
    },
  });
}
