/** What Kubernetes and Prometheus ask. Served on the gateway's own port. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Registry } from '@ringleader/observability';
import type { FastifyReply } from 'fastify';
import { respond, respondJson } from '../http/respond.js';
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
  live(@Res() reply: FastifyReply): void {
    respondJson(reply, 200, { status: 'ok' });
  }

  @DescribeReadiness()
  @Get('readyz')
  ready(@Res() reply: FastifyReply): void {
    const reasons = this.readiness();
    respondJson(reply, reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
  }

  @DescribeMetrics()
  @Get('metrics')
  async prometheus(@Res() reply: FastifyReply): Promise<void> {
    const text = await this.metrics.metrics();
    respond(reply, 200, { 'Content-Type': this.metrics.contentType }, text);
  }
}
