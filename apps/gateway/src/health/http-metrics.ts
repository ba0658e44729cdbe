import { Injectable } from '@nestjs/common';
import { Registry, TalliedHistogram } from '@ringleader/observability';
import type { Tally } from '@ringleader/observability';
import type { FastifyInstance } from 'fastify';

/** From an answer out of memory to the longest deadline that a client may set. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const MS_PER_SECOND = 1_000;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);

/** For what people look at: from 1/16 ms on, four to each doubling. */
const STEPS = 80;
const STEPS_PER_DOUBLING = 4;
const SMALLEST_MS = 1 / 16;
const KEYS = '/v1/kv';

function stepOf(ms: number): number {
  const step = Math.ceil(Math.log2(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) * STEPS_PER_DOUBLING);
  return Math.min(STEPS - 1, step);
}

const msOf = (step: number): number => SMALLEST_MS * 2 ** (step / STEPS_PER_DOUBLING);

/** How long requests below /v1/kv took, counted by steps; differences of two counts tell of the time between. */
export class RecentDurations {
  private readonly counts = new Float64Array(STEPS);

  observe(ms: number): void {
    const step = stepOf(ms);
    this.counts[step] = (this.counts[step] ?? 0) + 1;
  }

  snapshot(): Float64Array {
    return this.counts.slice();
  }

  /** Null where there was no request between the two. */
  static quantileMs(before: Float64Array, after: Float64Array, quantile: number): number | null {
    const counts = Array.from(after, (count, step) => count - (before[step] ?? 0));
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return null;
    let seen = 0;
    const step = counts.findIndex((count) => (seen += count) >= quantile * total);
    return Math.round(msOf(step) * 100) / 100;
  }

  static total(counts: Float64Array): number {
    return counts.reduce((sum, count) => sum + count, 0);
  }
}

/** By status. */
type Tallies = Map<number, Tally>;

/** How long requests took, by what they asked for: the route, never the path, so that the labels stay few. */
@Injectable()
export class HttpMetrics {
  readonly durations = new RecentDurations();
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
    if (route.startsWith(KEYS)) this.durations.observe(durationMs);
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
