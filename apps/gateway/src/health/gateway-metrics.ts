/** The gateway's own figures for Prometheus, read when they are asked for. */
import type { HybridClock } from '@ringleader/hybrid-clock';
import { Gauge, Counter } from '@ringleader/observability';
import type { Registry } from '@ringleader/observability';
import type { Admission } from '../http/admission.js';
import type { RequestRouter } from '../routing/request-router.js';
import type { NatsShardFrames } from '../transport/shard-frames.nats.js';

export interface MeasuredParts {
  readonly admission: Admission;
  readonly router: RequestRouter;
  readonly frames: NatsShardFrames;
  readonly hybridClock: HybridClock;
}

export function registerGatewayMetrics(
  registry: Registry,
  { admission, router, frames, hybridClock }: MeasuredParts,
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `ringleader_gateway_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const total = (name: string, help: string, read: () => number): void => {
    new Counter({
      name: `ringleader_gateway_${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  gauge('http_requests_in_flight', 'Requests below /v1 under way.', () => admission.inFlight);
  total(
    'http_requests',
    'Requests below /v1 received, refused ones included.',
    () => admission.requestsTotal,
  );
  gauge('operations_in_flight', 'Operations on keys and pages of lists under way.', () => router.inFlight);
  gauge('operations_queued', 'Operations that wait to be sent.', () => router.queued);
  total('attempts', 'Operations sent to shards, retries included.', () => router.counters.attempts);
  total(
    'retries',
    'Attempts that followed an attempt without a useful answer.',
    () => router.counters.retries,
  );
  total(
    'retries_denied',
    'Retries put off because the budget was used up.',
    () => router.counters.retriesDenied,
  );
  total('redirects', 'Attempts sent to another leader.', () => router.counters.redirects);
  total('late_replies', 'Answers that nobody waited for any more.', () => router.counters.lateReplies);
  total('frames_sent', 'Frames sent to shards.', () => frames.counters.sent);
  total('frames_sent_bytes', 'Bytes of these frames.', () => frames.counters.sentBytes);
  total('frames_received', 'Frames received from shards.', () => frames.counters.received);
  total('frames_malformed', 'Frames received that could not be read.', () => frames.counters.malformed);
  total(
    'frames_misattributed',
    'Frames received that claim to be of another sender.',
    () => frames.counters.misattributed,
  );
  total('clock_refused', 'Hybrid times too far ahead to be merged.', () => hybridClock.refused);
}
