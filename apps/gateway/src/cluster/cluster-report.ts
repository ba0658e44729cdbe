import { Injectable } from '@nestjs/common';
import type { ClusterView } from '@ringleader/contracts';
import { PartitionMapMirror } from '@ringleader/coordination';
import { NatsLinks } from '@ringleader/nats';
import { systemClock } from '@ringleader/observability';
import { LeaderTable } from '../routing/routing-table.js';
import { unreadyReasons } from './cluster-health.js';
import { ClusterObserver } from './cluster-observer.js';
import { clusterView } from './cluster-view.js';

/** What this gateway says of the cluster, and of itself. */
@Injectable()
export class ClusterReport {
  constructor(
    private readonly observer: ClusterObserver,
    private readonly map: PartitionMapMirror,
    private readonly leaders: LeaderTable,
    private readonly links: NatsLinks,
  ) {}

  view(): ClusterView {
    const { observer, map, leaders, links } = this;
    return clusterView(
      {
        name: observer.clusterName,
        cluster: observer.cluster,
        members: observer.members,
        shards: observer.shards,
        coordinatorsSeen: observer.coordinatorsSeen,
        coordinator: observer.coordinator,
        entries: map.entries,
        transportConnected: links.isConnected,
        telemetry: observer.telemetry,
        announcedLeader: (partition, now) => leaders.announcedLeader(partition, now),
      },
      systemClock.monotonicMs(),
    );
  }

  /** Why nothing can be routed. */
  unreadyReasons(): readonly string[] {
    const { map, leaders, links } = this;
    const now = systemClock.monotonicMs();
    const leaderless = map.entries.filter(
      ({ partition }) => leaders.announcedLeader(partition, now) === null,
    );
    return unreadyReasons({
      transportConnected: links.isConnected,
      partitions: map.entries.length,
      partitionsWithoutLeader: leaderless.length,
    });
  }
}
