/** What load balancers in front of the gateway ask, on its own port; Kubernetes and Prometheus ask the port of its probes. */
import { Controller, Get, Res } from '@nestjs/common';
import { Health } from '@ringleader/service-host';
import type { FastifyReply } from 'fastify';
import { DescribeLiveness, DescribeReadiness } from '../openapi/describe-cluster.js';

@Controller()
export class HealthController {
  constructor(private readonly health: Health) {}

  @DescribeLiveness()
  @Get('healthz')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @DescribeReadiness()
  @Get('readyz')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { ready: boolean; reasons: readonly string[] } {
    const reasons = this.health.readiness();
    reply.code(reasons.length === 0 ? 200 : 503);
    return { ready: reasons.length === 0, reasons };
  }
}
