/** GET /v1/cluster */
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { respondJson } from '../http/respond.js';
import { parseQuery } from '../kv/query.js';
import { queryOf } from '../kv/request-target.js';
import { DescribeCluster } from '../openapi/describe-cluster.js';
import { CLUSTER_REPORT } from '../tokens.js';
import type { ClusterReport } from '../tokens.js';

const NO_PARAMETERS: readonly string[] = [];

@Controller('v1')
export class ClusterController {
  constructor(@Inject(CLUSTER_REPORT) private readonly report: ClusterReport) {}

  @DescribeCluster()
  @Get('cluster')
  cluster(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    parseQuery(queryOf(request.originalUrl), NO_PARAMETERS);
    respondJson(reply, 200, this.report());
  }
}
