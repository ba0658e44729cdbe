/** GET /v1/cluster */
import { Controller, Get, Req } from '@nestjs/common';
import type { ClusterView } from '@ringleader/contracts';
import type { FastifyRequest } from 'fastify';
import { parseQuery, targetOf } from '../http/request-target.js';
import { DescribeCluster } from '../openapi/describe-cluster.js';
import { ClusterReport } from './cluster-report.js';

const NO_PARAMETERS: readonly string[] = [];

@Controller('v1')
export class ClusterController {
  constructor(private readonly report: ClusterReport) {}

  @DescribeCluster()
  @Get('cluster')
  cluster(@Req() request: FastifyRequest): ClusterView {
    parseQuery(targetOf(request.raw).query, NO_PARAMETERS);
    return this.report.view();
  }
}
