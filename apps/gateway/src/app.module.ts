import { Module } from '@nestjs/common';
import { HeapPressure } from '@ringleader/service-host';
import { PartitionMapMirror } from '@ringleader/coordination';
import { HybridClock } from '@ringleader/hybrid-clock';
import { systemClock } from '@ringleader/observability';
import { AccessModule } from './access/access.module.js';
import { TokensController } from './access/tokens.controller.js';
import { ClusterController } from './cluster/cluster.controller.js';
import { CoordinatorsController } from './cluster/coordinators.controller.js';
import { SettingsController } from './cluster/settings.controller.js';
import { ClusterModule } from './cluster/cluster.module.js';
import { MapController } from './cluster/map.controller.js';
import { PlacementController } from './cluster/placement.controller.js';
import { GatewayConfig } from './gateway.config.js';
import {
  BalancerMetrics,
  FrameMetrics,
  MetadataMetrics,
  GatewayHealthService,
  HealthController,
  RequestMetrics,
} from './health/gateway-health.js';
import { Admission } from './http/admission.js';
import { LargeBodies } from './http/large-bodies.js';
import { HttpDrain } from './http-server.js';
import { BatchController } from './kv/batch.controller.js';
import { KeyValueStore } from './kv/key-value-store.js';
import { KeysController } from './kv/keys.controller.js';
import { ListController } from './kv/list.controller.js';
import { DocumentController } from './openapi/document.controller.js';
import { PageController } from './page/page.controller.js';
import { RequestRouter } from './routing/request-router.js';
import { RoutingTable } from './routing/routing-table.js';
import { RoutingModule } from './routing/routing.module.js';
import { nodeScheduler } from './routing/shard-channel.js';

/** All resources there are. A test serves them over shards in memory. */
export const RESOURCES = [
  KeysController,
  ListController,
  BatchController,
  ClusterController,
  CoordinatorsController,
  SettingsController,
  DocumentController,
  PageController,
  PlacementController,
  MapController,
  HealthController,
  TokensController,
];

@Module({
  imports: [AccessModule, RoutingModule, ClusterModule],
  controllers: RESOURCES,
  providers: [
    {
      provide: Admission,
      useFactory: (config: GatewayConfig, { isHigh }: HeapPressure) => {
        const limits = {
          requestsMax: config.RINGLEADER_REQUESTS_MAX,
          bytesMax: config.RINGLEADER_REQUEST_BYTES_MAX,
          clientRequestsMax: config.RINGLEADER_CLIENT_REQUESTS_MAX,
        };
        return new Admission(limits, isHigh);
      },
      inject: [GatewayConfig, HeapPressure],
    },
    {
      provide: LargeBodies,
      useFactory: (config: GatewayConfig) => new LargeBodies(config.RINGLEADER_LARGE_BODIES_BYTES_MAX),
      inject: [GatewayConfig],
    },
    {
      provide: KeyValueStore,
      useFactory: keyValueStore,
      inject: [GatewayConfig, RequestRouter, RoutingTable, PartitionMapMirror, HybridClock],
    },
    HttpDrain,
    RequestMetrics,
    FrameMetrics,
    BalancerMetrics,
    MetadataMetrics,
    GatewayHealthService,
  ],
})
export class AppModule {}

/** In the order of `inject`. */
type StoreIngredients = [GatewayConfig, RequestRouter, RoutingTable, PartitionMapMirror, HybridClock];

function keyValueStore(...ingredients: StoreIngredients): KeyValueStore {
  const [config, router, routes, map, { stamp: hybridNow }] = ingredients;
  return new KeyValueStore({
    ...{ router, routes, map, hybridNow },
    repeatsRemembered: config.RINGLEADER_REPEATS_REMEMBERED,
    monotonicMs: () => systemClock.monotonicMs(),
    scheduler: nodeScheduler,
  });
}
