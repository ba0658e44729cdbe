/** /v1/cluster/where, /partitions, /incidents, /load and /events: what this gateway knows, and how that changes. */
import { Readable } from 'node:stream';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { IncidentList, KeyPlace, LoadHistoryView, PartitionList } from '@ringleader/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, READ_CLUSTER } from '../access/access.js';
import { callerOf, requireKey } from '../access/caller.js';
import { checkKey, invalidParameter, parseQuery, targetOf } from '../http/request-target.js';
import { refuseConditions } from '../kv/preconditions.js';
import {
  DescribeEvents,
  DescribeIncidents,
  DescribeLoad,
  DescribePartitions,
  DescribeWhere,
} from '../openapi/placement-descriptions.js';
import { ClusterEvents } from './cluster-events.js';
import { LoadHistory } from './load-history.js';
import { PartitionReport } from './partition-report.js';
import { PlacementObserver } from './placement-observer.js';

@Controller('v1/cluster')
export class MapController {
  constructor(
    private readonly report: PartitionReport,
    private readonly observer: PlacementObserver,
    private readonly clusterEvents: ClusterEvents,
    private readonly history: LoadHistory,
  ) {}

  @Access({ kind: 'request', role: 'read' })
  @DescribeWhere()
  @Get('where')
  where(@Req() request: FastifyRequest): KeyPlace {
    const key = plainRead(request, ['key']).get('key');
    if (key === undefined) throw invalidParameter('key', 'The query parameter key names the key');
    checkKey(key);
    requireKey(callerOf(request.raw), 'read', key);
    return this.report.where(key);
  }

  @Access(READ_CLUSTER)
  @DescribePartitions()
  @Get('partitions')
  partitions(@Req() request: FastifyRequest): PartitionList {
    plainRead(request);
    return { items: this.report.partitions() };
  }

  @Access(READ_CLUSTER)
  @DescribeIncidents()
  @Get('incidents')
  incidents(@Req() request: FastifyRequest): IncidentList {
    plainRead(request);
    return { items: [...this.observer.incidents] };
  }

  @Access(READ_CLUSTER)
  @DescribeLoad()
  @Get('load')
  load(@Req() request: FastifyRequest): LoadHistoryView {
    plainRead(request);
    return { items: this.history.items };
  }

  @Access(READ_CLUSTER)
  @DescribeEvents()
  @Get('events')
  events(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Readable {
    plainRead(request);
    const lastEventId = request.headers['last-event-id'];
    reply.header('Content-Type', 'text/event-stream');
    // A proxy that gathers an answer before it passes it on would never be done.
    reply.header('X-Accel-Buffering', 'no');
    if (request.method === 'HEAD') return Readable.from([]);
    return this.clusterEvents.stream(request.ip, typeof lastEventId === 'string' ? lastEventId : undefined);
  }
}

function plainRead(
  { raw, headers }: FastifyRequest,
  parameters: readonly string[] = [],
): ReturnType<typeof parseQuery> {
  const query = parseQuery(targetOf(raw).query, parameters);
  refuseConditions(headers, 'page');
  return query;
}
