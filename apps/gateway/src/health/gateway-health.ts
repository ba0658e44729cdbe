/** What this gateway tells of itself: to load balancers in front of it, to the cluster, and to Prometheus. */
import { Controller, Get, Injectable, Res } from '@nestjs/common';
import { HybridClock } from '@ringleader/hybrid-clock';
import { PartitionMapMirror } from '@ringleader/coordination';
import { ReadFigures, Registry } from '@ringleader/observability';
import { Health, Membership } from '@ringleader/service-host';
import type { FastifyReply } from 'fastify';
import { AccessControl } from '../access/access.module.js';
import { Access, OPEN } from '../access/access.js';
import { ClusterReport } from '../cluster/cluster.controller.js';
import { Admission } from '../http/admission.js';
import { DescribeLiveness, DescribeReadiness } from '../openapi/descriptions.js';
import { NatsShardFrames } from '../routing/data-path.nats.js';
import { ReplicaPicker } from '../routing/replica-picker.js';
import { RequestRouter } from '../routing/request-router.js';

/** On the gateway's own port, for whoever wants to know whether it can serve; Kubernetes and Prometheus ask the port of its probes. */
@Controller()
export class HealthController {
  constructor(
    private readonly health: Health,
    private readonly report: ClusterReport,
  ) {}

  @Access(OPEN)
  @DescribeLiveness()
  @Get('healthz')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Access(OPEN)
  @DescribeReadiness()
  @Get('readyz')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { ready: boolean; reasons: readonly string[] } {
    const reasons = [...new Set([...this.health.readiness(), ...this.report.unservableReasons()])];
    reply.code(reasons.length === 0 ? 200 : 503);
    return { ready: reasons.length === 0, reasons };
  }
}

/** What the cluster is told of this gateway: whether it is ready, and its load. */
@Injectable()
export class GatewayHealthService {
  constructor(health: Health, membership: Membership, report: ClusterReport, admission: Admission) {
    health.readyWhen(() => report.unreadyReasons());
    membership.measure({
      inFlight: () => admission.inFlight,
      requestsTotal: () => admission.requestsTotal,
    });
  }
}

const PREFIX = 'ringleader_gateway_';

@Injectable()
export class RequestMetrics {
  constructor(registry: Registry, admission: Admission, router: RequestRouter) {
    const figures = new ReadFigures(registry, PREFIX);
    const { counters } = router;
    figures.gauge('http_requests_in_flight', 'Requests below /v1 under way', () => admission.inFlight);
    figures.counter(
      'http_requests_total',
      'Requests below /v1, refused ones too',
      () => admission.requestsTotal,
    );
    figures.gauge(
      'operations_in_flight',
      'Operations on keys and pages of lists under way',
      () => router.inFlight,
    );
    figures.gauge('operations_queued', 'Operations that wait to be sent', () => router.queued);
    figures.counter('attempts_total', 'Operations sent to shards, retries included', () => counters.attempts);
    figures.counter(
      'retries_total',
      'Attempts that followed one without a useful answer',
      () => counters.retries,
    );
    figures.counter(
      'retries_denied_total',
      'Retries put off for want of budget',
      () => counters.retriesDenied,
    );
    figures.counter('redirects_total', 'Attempts sent to another leader', () => counters.redirects);
    figures.counter(
      'late_replies_total',
      'Answers that nobody waited for any more',
      () => counters.lateReplies,
    );
  }
}

@Injectable()
export class FrameMetrics {
  constructor(registry: Registry, { counters }: NatsShardFrames, clock: HybridClock) {
    const figures = new ReadFigures(registry, PREFIX);
    figures.counter('frames_sent_total', 'Frames sent to shards', () => counters.sent);
    figures.counter('frames_sent_bytes_total', 'Bytes of these frames', () => counters.sentBytes);
    figures.counter('frames_received_total', 'Frames received from shards', () => counters.received);
    figures.counter('clock_refused_total', 'Hybrid times too far ahead to be followed', () => clock.refused);
  }
}

@Injectable()
export class MetadataMetrics {
  constructor(registry: Registry, map: PartitionMapMirror, access: AccessControl) {
    const figures = new ReadFigures(registry, PREFIX);
    const help =
      'Records of the coordinators that this version cannot read: of tokens, and of the partition map';
    figures.gauge('unreadable_records', help, () => map.unreadable + access.unreadableTokens);
  }
}

@Injectable()
export class BalancerMetrics {
  constructor(registry: Registry, replicas: ReplicaPicker) {
    const name = 'replica_picks_total';
    const help = 'Attempts that any replica could serve, by the strategy that picked one, and whom it picked';
    new ReadFigures(registry, PREFIX).countersBy(
      { name, help, label: ['strategy', 'shard'] },
      () => replicas.picks,
    );
  }
}
