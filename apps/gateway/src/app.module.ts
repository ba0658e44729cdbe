import { Module } from '@nestjs/common';
import { ServiceClock } from '@ringleader/service-host';
import { ClusterController } from './cluster/cluster.controller.js';
import { ClusterModule } from './cluster/cluster.module.js';
import { GatewayConfig } from './gateway.config.js';
import { GatewayHealthService } from './health/gateway-health.service.js';
import { FrameMetrics, RequestMetrics } from './health/gateway-metrics.js';
import { HealthController } from './health/health.controller.js';
import { Admission } from './http/admission.js';
import { HttpDrain } from './http/http-drain.js';
import { HttpMetrics } from './http/http-metrics.js';
import { BatchController } from './kv/batch.controller.js';
import { KeysController } from './kv/keys.controller.js';
import { ListController } from './kv/list.controller.js';
import { RequestContext } from './kv/request-context.js';
import { RoutingModule } from './routing/routing.module.js';

/** All resources there are. A test serves them over shards in memory. */
export const RESOURCES = [
  KeysController,
  ListController,
  BatchController,
  ClusterController,
  HealthController,
];

@Module({
  imports: [RoutingModule, ClusterModule],
  controllers: RESOURCES,
  providers: [
    {
      provide: Admission,
      useFactory: (config: GatewayConfig) =>
        new Admission({
          requestsMax: config.RINGLEADER_REQUESTS_MAX,
          bytesMax: config.RINGLEADER_REQUEST_BYTES_MAX,
          clientRequestsMax: config.RINGLEADER_CLIENT_REQUESTS_MAX,
        }),
      inject: [GatewayConfig],
    },
    {
      provide: RequestContext,
      useFactory: (clock: ServiceClock) => new RequestContext(() => clock.monotonicMs()),
      inject: [ServiceClock],
    },
    HttpDrain,
    HttpMetrics,
    RequestMetrics,
    FrameMetrics,
    GatewayHealthService,
  ],
})
export class AppModule {}
