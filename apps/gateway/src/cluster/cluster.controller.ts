/** GET /v1/cluster, and whether replicas have the same */
import { Controller, Get, HttpCode, Injectable, Post, Req } from '@nestjs/common';
import type { ClusterView, Verification, VerificationState } from '@ringleader/contracts';
import { NatsLinks } from '@ringleader/nats';
import { systemClock } from '@ringleader/observability';
import { Coordination } from '@ringleader/service-host';
import type { FastifyRequest } from 'fastify';
import { ADMINISTER, READ_CLUSTER, Access } from '../access/access.js';
import { parseQuery, targetOf } from '../http/request-target.js';
import { refuseConditions } from '../kv/preconditions.js';
import { DescribeCluster } from '../openapi/descriptions.js';
import { DescribeVerification, DescribeVerify } from '../openapi/placement-descriptions.js';
import { ClusterObserver } from './cluster-observer.js';
import { clusterView, unreadyReasons, unservableReasons } from './cluster-view.js';
import { optionsOf, refuseFields } from './operator-request.js';
import { PartitionReport } from './partition-report.js';
import { PlacementObserver } from './placement-observer.js';

const NO_PARAMETERS: readonly string[] = [];

/** What this gateway says of the cluster, and of itself. */
@Injectable()
export class ClusterReport {
  constructor(
    private readonly observer: ClusterObserver,
    private readonly placement: PlacementObserver,
    private readonly map: PartitionReport,
    private readonly links: NatsLinks,
  ) {}

  view(): ClusterView {
    const { observer, placement, map, links } = this;
    return clusterView(
      {
        name: observer.clusterName,
        cluster: observer.cluster,
        members: observer.members,
        shards: observer.shards,
        coordinators: observer.coordinators,
        coordinator: observer.coordinator,
        detectorQuorum: observer.detectorQuorum,
        entries: map.entries,
        places: placement.places,
        incidents: placement.incidents,
        blocked: placement.placement?.plan.blocked ?? null,
        transportConnected: links.isConnected,
        telemetry: observer.telemetry,
        verdictOf: observer.verdictOf,
        announcedLeader: (partition, now) => map.announcedLeader(partition, now),
      },
      systemClock.monotonicMs(),
    );
  }

  /** Why this gateway is of no use. */
  unreadyReasons(): readonly string[] {
    const { map, links } = this;
    return unreadyReasons({ transportConnected: links.isConnected, partitions: map.entries.length });
  }

  /** Why nothing can be routed. */
  unservableReasons(): readonly string[] {
    const { map, links } = this;
    const now = systemClock.monotonicMs();
    const leaderless = map.entries.filter(({ partition }) => map.announcedLeader(partition, now) === null);
    return unservableReasons({
      transportConnected: links.isConnected,
      partitions: map.entries.length,
      partitionsWithoutLeader: leaderless.length,
    });
  }
}

@Controller('v1')
export class ClusterController {
  constructor(
    private readonly report: ClusterReport,
    private readonly coordination: Coordination,
  ) {}

  @Access(READ_CLUSTER)
  @DescribeCluster()
  @Get('cluster')
  cluster(@Req() request: FastifyRequest): ClusterView {
    parseQuery(targetOf(request.raw).query, NO_PARAMETERS);
    refuseConditions(request.headers, 'page');
    return this.report.view();
  }

  /** The doubled colon is a plain one. */
  @Access(ADMINISTER)
  @DescribeVerify()
  @Post('cluster::verify')
  @HttpCode(200)
  verify(@Req() request: FastifyRequest): Promise<Verification> {
    refuseFields(request, 'The verification');
    refuseConditions(request.headers, 'page');
    return this.coordination.ask('startVerification', {}, optionsOf(request));
  }

  @Access(READ_CLUSTER)
  @DescribeVerification()
  @Get('cluster/verification')
  verification(@Req() request: FastifyRequest): Promise<VerificationState> {
    refuseConditions(request.headers, 'page');
    return this.coordination.ask('verification', {}, optionsOf(request));
  }
}
