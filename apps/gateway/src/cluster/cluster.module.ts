/** What this gateway knows of the cluster, for reports and to take suspects out of rotation. */
import {
  type BeforeApplicationShutdown,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { PartitionMapMirror } from '@ringleader/coordination';
import { NatsLink } from '@ringleader/nats';
import { Coordination, Self, ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { HttpMetrics } from '../health/http-metrics.js';
import { RoutingModule } from '../routing/routing.module.js';
import { LeaderTable } from '../routing/routing-table.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { ClusterEvents } from './cluster-events.js';
import { ClusterObserver } from './cluster-observer.js';
import { ClusterReport } from './cluster.controller.js';
import { SettingsFollower } from './settings.js';
import { eventSources } from './event-sources.js';
import { LoadHistory } from './load-history.js';
import { PartitionReport } from './partition-report.js';
import { PlacementObserver } from './placement-observer.js';
import { Verdicts, VerdictsModule } from './verdicts.js';

@Module({
  imports: [RoutingModule, VerdictsModule],
  providers: [
    {
      provide: ClusterObserver,
      useFactory: clusterObserver,
      inject: [Coordination, NatsLink, Self, ServiceClock, ShardDirectory, Verdicts, ServiceLogger],
    },
    {
      provide: PlacementObserver,
      useFactory: placementObserver,
      inject: [Coordination, ServiceClock, ShardDirectory, ServiceLogger],
    },
    {
      provide: PartitionReport,
      useFactory: partitionReport,
      inject: [PartitionMapMirror, LeaderTable, ShardDirectory, PlacementObserver, ServiceClock],
    },
    {
      provide: ClusterEvents,
      useFactory: (
        report: ClusterReport,
        observer: PlacementObserver,
        history: LoadHistory,
        { durations }: HttpMetrics,
      ) =>
        new ClusterEvents({
          sources: eventSources({
            view: () => report.view(),
            placement: () => observer.placement,
            ...{ durations, history },
          }),
        }),
      inject: [ClusterReport, PlacementObserver, LoadHistory, HttpMetrics],
    },
    {
      provide: LoadHistory,
      useFactory: ({ durations }: HttpMetrics) => new LoadHistory({ durations }),
      inject: [HttpMetrics],
    },
    HttpMetrics,
    ClusterReport,
    SettingsFollower,
  ],
  exports: [ClusterReport, PartitionReport, PlacementObserver, ClusterEvents, LoadHistory, HttpMetrics],
})
export class ClusterModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  constructor(
    private readonly observer: ClusterObserver,
    private readonly placement: PlacementObserver,
    private readonly events: ClusterEvents,
    private readonly history: LoadHistory,
  ) {}

  onApplicationBootstrap(): void {
    this.observer.start();
    this.placement.start();
    this.history.start();
  }

  /** Streams have no end of their own, for which the server would wait. */
  onModuleDestroy(): void {
    this.events.close();
  }

  beforeApplicationShutdown(): void {
    this.observer.stop();
    this.placement.stop();
    this.history.stop();
  }
}

const NOT_FOLLOWED = 'The coordinators cannot be followed';

/** In the order of `inject`. */
type PlacementIngredients = [Coordination, ServiceClock, ShardDirectory, ServiceLogger];

function placementObserver(...ingredients: PlacementIngredients): PlacementObserver {
  const [client, clock, shardDirectory, logger] = ingredients;
  return new PlacementObserver({
    ...{ client, clock, shardDirectory },
    onTrouble: (error) => logger.warn({ error }, NOT_FOLLOWED),
  });
}

/** In the order of `inject`. */
type ReportIngredients = [PartitionMapMirror, LeaderTable, ShardDirectory, PlacementObserver, ServiceClock];

function partitionReport(...ingredients: ReportIngredients): PartitionReport {
  const [map, leaders, directory, placement, clock] = ingredients;
  return new PartitionReport({
    map,
    announcedLeader: (partition, now) => leaders.announcedLeader(partition, now),
    name: (shard) => placement.name(shard) ?? directory.name(shard),
    monotonicMs: () => clock.monotonicMs(),
  });
}

/** In the order of `inject`. */
type ObserverIngredients = [
  Coordination,
  NatsLink,
  Self,
  ServiceClock,
  ShardDirectory,
  Verdicts,
  ServiceLogger,
];

function clusterObserver(...ingredients: ObserverIngredients): ClusterObserver {
  const [client, link, { cluster: clusterName }, clock, shardDirectory, verdicts, logger] = ingredients;
  return new ClusterObserver({
    ...{ client, link, clusterName, clock, shardDirectory, verdicts },
    onTrouble: (error) => logger.warn({ error }, NOT_FOLLOWED),
  });
}
