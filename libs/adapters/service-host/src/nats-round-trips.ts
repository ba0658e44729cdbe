import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { NatsLinks } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { Histogram, Registry } from '@ringleader/observability';

const PROBE_INTERVAL_MS = 5_000;
const MS_PER_SECOND = 1_000;
/** From loopback to a server that is about to be given up. */
const ROUND_TRIP_SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 1];

/** How far away NATS is, asked now and then: what it takes from here to its server and back. */
@Injectable()
export class NatsRoundTrips implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #links: readonly NatsLink[];
  readonly #roundTrip: Histogram<'lane'>;
  #timer: NodeJS.Timeout | null = null;

  constructor({ control, data }: NatsLinks, registry: Registry) {
    this.#links = data === control ? [control] : [control, data];
    this.#roundTrip = new Histogram({
      name: 'ringleader_nats_round_trip_seconds',
      help: 'From this process to its nats-server and back, asked now and then',
      labelNames: ['lane'],
      buckets: ROUND_TRIP_SECONDS,
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      for (const link of this.#links) if (link.isConnected) void this.#measure(link);
    }, PROBE_INTERVAL_MS);
    this.#timer.unref();
  }

  beforeApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #measure({ lane, connection }: NatsLink): Promise<void> {
    const startedAt = performance.now();
    // A connection that breaks meanwhile is counted as such, and has no round trip.
    const isAnswered = await connection.flush().then(
      () => true,
      () => false,
    );
    if (isAnswered) this.#roundTrip.observe({ lane }, (performance.now() - startedAt) / MS_PER_SECOND);
  }
}
