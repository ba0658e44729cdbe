import { Injectable } from '@nestjs/common';
import { Histogram, Registry } from '@ringleader/observability';
import type { FastifyInstance } from 'fastify';

/** From an answer out of memory to the longest deadline that a client may set. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const MS_PER_SECOND = 1_000;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS']);

/** How long requests took, by what they asked for: the route, never the path, so that the labels stay few. */
@Injectable()
export class HttpMetrics {
  private readonly seconds: Histogram<'method' | 'route' | 'status'>;

  constructor(registry: Registry) {
    this.seconds = new Histogram({
      name: 'ringleader_gateway_http_request_seconds',
      help: 'From the head of a request to the end of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers: [registry],
    });
  }

  measure(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      const method = METHODS.has(request.method) ? request.method : 'other';
      const route = request.routeOptions.url ?? 'none';
      const labels = { method, route, status: String(reply.raw.statusCode) };
      this.seconds.observe(labels, reply.elapsedTime / MS_PER_SECOND);
      done();
    });
  }
}
