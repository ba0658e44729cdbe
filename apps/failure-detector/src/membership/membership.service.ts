import { Inject, Injectable } from '@nestjs/common';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import { MemberRegistration } from '@ringleader/coordination';
import type { CoordinationClient } from '@ringleader/coordination';
import { HeartbeatPublisher, LoadMeter } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { TelemetryTransport } from '../telemetry/telemetry-transport.nats.js';
import { COORDINATOR, LOGGER, SELF, type Self } from '../tokens.js';

/** This detector as a member like every other: in the service registry under a lease, with a heartbeat. */
@Injectable()
export class MembershipService {
  readonly #heartbeat: HeartbeatPublisher;
  #registration: MemberRegistration | null = null;

  constructor(
    @Inject(SELF) private readonly self: Self,
    @Inject(TelemetryTransport) transport: TelemetryTransport,
    @Inject(COORDINATOR) private readonly client: CoordinationClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const { id, instance } = self;
    // It serves no requests.
    const meter = new LoadMeter({ inFlight: () => 0, requestsTotal: () => 0 });
    this.#heartbeat = new HeartbeatPublisher(
      { service: 'failure-detector', id, instance },
      meter,
      transport.publishHeartbeat,
    );
  }

  /** Registers in the background: a detector works without the coordinator. */
  start(address: string): void {
    const { logger } = this;
    const { id, instance, startedAt } = this.self;
    this.#registration = new MemberRegistration({
      client: this.client,
      member: {
        service: 'failure-detector',
        id,
        address,
        version: RINGLEADER_VERSION,
        instance,
        startedAt,
        ordinal: 0,
        state: 'serving',
      },
      onRegistered: (lease) => logger.info({ lease }, 'Registered'),
      onTrouble: (error) => logger.warn({ error }, 'Registration is in trouble'),
    });
    void this.#registration.start();
    this.#heartbeat.start();
  }

  async stop(): Promise<void> {
    this.#heartbeat.stop();
    await this.#registration?.stop();
  }
}
