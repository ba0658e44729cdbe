import { Injectable } from '@nestjs/common';
import { Registry, TalliedHistogram } from '@ringleader/observability';
import type { Tally } from '@ringleader/observability';
import type { FastifyInstance } from 'fastify';

/** From an answer out of memory to the longest deadline that a client may set. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const MS_PER_SECOND = 1_000;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS']);

/** By status. */
type Tallies = Map<number, Tally>;

/** How long requests took, by what they asked for: the route, never the path, so that the labels stay few. */
@Injectable()
export class HttpMetrics {
  private readonly seconds: TalliedHistogram;
  /** By route, and by method. */
  private readonly tallies = new Map<string, Map<string, Tallies>>();

  constructor(registry: Registry) {
    const help = 'From the head of a request to the end of its answer';
    this.seconds = new TalliedHistogram('ringleader_gateway_http_request_seconds', help, SECONDS, registry);
  }

  /** All that the web framework answers. */
  measure(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'none';
      this.observe(request.method, route, reply.raw.statusCode, reply.elapsedTime);
      done();
    });
  }

  observe(method: string, route: string, status: number, durationMs: number): void {
    const tally = this.tallies.get(route)?.get(method)?.get(status) ?? this.tally(method, route, status);
    this.seconds.observe(tally, durationMs / MS_PER_SECOND);
  }

  private tally(received: string, route: string, status: number): Tally {
    const method = METHODS.has(received) ? received : 'other';
    const byMethod = this.tallies.get(route) ?? new Map<string, Tallies>();
    const byStatus = byMethod.get(method) ?? new Map<number, Tally>();
    const tally = byStatus.get(status) ?? this.seconds.tally({ method, route, status: String(status) });
    this.tallies.set(route, byMethod.set(method, byStatus.set(status, tally)));
    return tally;
  }
}
