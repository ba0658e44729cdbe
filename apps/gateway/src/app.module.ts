import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import type { Registry } from '@ringleader/observability';
import { ClusterController } from './cluster/cluster.controller.js';
import { HealthController } from './health/health.controller.js';
import { BatchController } from './kv/batch.controller.js';
import { KeyValueStore } from './kv/key-value-store.js';
import { KeysController } from './kv/keys.controller.js';
import { ListController } from './kv/list.controller.js';
import { RequestContext } from './kv/request-context.js';
import { ShardDirectory } from './routing/shard-directory.js';
import { CLUSTER_REPORT, METRICS, READINESS } from './tokens.js';
import type { ClusterReport, Readiness } from './tokens.js';

/** What the resources rest on. Made by the process (gateway.ts), or by a test with shards in memory. */
export interface GatewayParts {
  readonly store: KeyValueStore;
  readonly context: RequestContext;
  readonly shardDirectory: ShardDirectory;
  readonly readiness: Readiness;
  readonly clusterReport: ClusterReport;
  readonly metrics: Registry;
}

@Module({})
export class AppModule {
  static of(parts: GatewayParts): DynamicModule {
    return {
      module: AppModule,
      controllers: [KeysController, ListController, BatchController, ClusterController, HealthController],
      providers: [
        { provide: KeyValueStore, useValue: parts.store },
        { provide: RequestContext, useValue: parts.context },
        { provide: ShardDirectory, useValue: parts.shardDirectory },
        { provide: READINESS, useValue: parts.readiness },
        { provide: CLUSTER_REPORT, useValue: parts.clusterReport },
        { provide: METRICS, useValue: parts.metrics },
      ],
    };
  }
}
