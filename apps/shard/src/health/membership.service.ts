import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import { CoordinationClient, MemberRegistration } from '@ringleader/coordination';
import { heartbeatSink, type NatsConnection } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter, type Logger, systemClock } from '@ringleader/observability';
import { ShardService } from '../partitions/shard.service.js';
import type { ShardConfig } from '../shard.config.js';
import { CONFIG, LOGGER, NATS } from '../tokens.js';

/** This shard as a member like every other: in the service registry under a lease, with a heartbeat. */
@Injectable()
export class MembershipService {
  private readonly client: CoordinationClient;
  private readonly heartbeat: HeartbeatPublisher;
  private readonly instance = randomUUID();
  private registration: MemberRegistration | null = null;

  constructor(
    @Inject(CONFIG) private readonly config: ShardConfig,
    @Inject(NATS) connection: NatsConnection,
    @Inject(ShardService) private readonly shard: ShardService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const { RINGLEADER_CLUSTER: cluster, RINGLEADER_MEMBER: id } = config;
    this.client = new CoordinationClient({ connection, cluster, clock: systemClock });
    const meter = new LoadMeter({
      inFlight: () => shard.requests.inFlight,
      requestsTotal: () => shard.requests.total,
    });
    const identity = { service: 'shard', id, instance: this.instance } as const;
    this.heartbeat = new HeartbeatPublisher(identity, meter, heartbeatSink(connection, cluster));
  }

  /** Registers in the background; the ordinal is added when the shard has got one. */
  start(address: string): void {
    const { logger } = this;
    const registration = new MemberRegistration({
      client: this.client,
      member: {
        service: 'shard',
        id: this.config.RINGLEADER_MEMBER,
        address,
        version: RINGLEADER_VERSION,
        instance: this.instance,
        startedAt: new Date(systemClock.wallMs()).toISOString(),
        ordinal: 0,
        state: 'starting',
      },
      onRegistered: (lease) => logger.info({ lease }, 'Registered'),
      onTrouble: (error) => logger.warn({ error }, 'Registration is in trouble'),
    });
    this.registration = registration;
    void registration.start();
    void this.shard.ordinal.then((ordinal) => registration.update({ ordinal, state: 'serving' }));
    this.heartbeat.start();
  }

  async stop(): Promise<void> {
    this.heartbeat.stop();
    await this.registration?.stop();
    await this.client.close();
  }
}
