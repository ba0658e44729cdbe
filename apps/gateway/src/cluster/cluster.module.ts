/** What this gateway knows of the cluster, for reports and to take suspects out of rotation. */
import { type BeforeApplicationShutdown, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { NatsLink } from '@ringleader/nats';
import { Coordination, Self, ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { RoutingModule } from '../routing/routing.module.js';
import { ShardDirectory } from '../routing/routing-table.js';
import { ClusterObserver } from './cluster-observer.js';
import { ClusterReport } from './cluster.controller.js';
import { SettingsFollower } from './settings.js';
import { Verdicts, VerdictsModule } from './verdicts.js';

@Module({
  imports: [RoutingModule, VerdictsModule],
  providers: [
    {
      provide: ClusterObserver,
      useFactory: clusterObserver,
      inject: [Coordination, NatsLink, Self, ServiceClock, ShardDirectory, Verdicts, ServiceLogger],
    },
    ClusterReport,
    SettingsFollower,
  ],
  exports: [ClusterReport],
})
export class ClusterModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly observer: ClusterObserver) {}

  onApplicationBootstrap(): void {
    this.observer.start();
  }

  beforeApplicationShutdown(): void {
    this.observer.stop();
  }
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
    onTrouble: (error) => logger.warn({ error }, 'The coordinators cannot be followed'),
  });
}
