/** What Kubernetes and Prometheus ask. Served on the gateway's own port. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Registry } from '@ringleader/observability';
import type { FastifyReply } from 'fastify';
import { DescribeLiveness, DescribeMetrics, DescribeReadiness } from '../openapi/describe-cluster.js';
import { METRICS, READINESS } from '../tokens.js';
import type { Readiness } from '../tokens.js';

@Controller()
export class HealthController {
  constructor(
    @Inject(READINESS) private readonly readiness: Readiness,
    @Inject(METRICS) private readonly metrics: Registry,
  ) {}

  @DescribeLiveness()
  @Get('healthz')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @DescribeReadiness()
  @Get('readyz')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { ready: boolean; reasons: readonly string[] } {
    const reasons = this.readiness();
    reply.code(reasons.length === 0 ? 200 : 503);
    return { ready: reasons.length === 0, reasons };
  }

  @DescribeMetrics()
  @Get('metrics')
  prometheus(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.header('Content-Type', this.metrics.contentType);
    return this.metrics.metrics();
  }
}
