import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import { CoordinationClient, MemberRegistration } from '@ringleader/coordination';
import { heartbeatSink } from '@ringleader/nats';
import type { NatsLinks } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter, systemClock } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import type { CoordinatorConfig } from '../coordinator.config.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { CONFIG, LOGGER, NATS } from '../tokens.js';

/** This coordinator as a member like every other: in the service registry under a lease, with a heartbeat. */
@Injectable()
export class MembershipService {
  readonly #client: CoordinationClient;
  readonly #heartbeat: HeartbeatPublisher;
  readonly #instance = randomUUID();
  #registration: MemberRegistration | null = null;

  constructor(
    @Inject(CONFIG) private readonly config: CoordinatorConfig,
    @Inject(NATS) { control: link }: NatsLinks,
    @Inject(ReplicatedStore) store: ReplicatedStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const { RINGLEADER_CLUSTER: cluster, RINGLEADER_MEMBER: id } = config;
    const speaker = { service: 'coordinator', member: id } as const;
    this.#client = new CoordinationClient({ link, cluster, speaker, clock: systemClock });
    const meter = new LoadMeter({
      inFlight: () => store.proposalsInFlight,
      requestsTotal: () => store.requestsTotal,
    });
    const identity = { service: 'coordinator', id, instance: this.#instance } as const;
    this.#heartbeat = new HeartbeatPublisher(identity, meter, heartbeatSink(link, cluster, speaker));
  }

  /** Registers in the background: at the start of a cluster there is nobody to register with. */
  start(address: string): void {
    const { logger } = this;
    this.#registration = new MemberRegistration({
      client: this.#client,
      member: {
        service: 'coordinator',
        id: this.config.RINGLEADER_MEMBER,
        address,
        version: RINGLEADER_VERSION,
        instance: this.#instance,
        startedAt: new Date(systemClock.wallMs()).toISOString(),
        ordinal: this.config.RINGLEADER_COORDINATOR_ID,
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
    await this.#client.close();
  }
}
