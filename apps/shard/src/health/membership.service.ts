import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import { MemberRegistration } from '@ringleader/coordination';
import { heartbeatSink } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter, systemClock } from '@ringleader/observability';
import { ShardService } from '../partitions/shard.service.js';
import { SURROUNDINGS, type Surroundings } from '../surroundings.js';

/** This shard as a member like every other: in the service registry under a lease, with a heartbeat. */
@Injectable()
export class MembershipService {
  private readonly heartbeat: HeartbeatPublisher;
  private readonly instance = randomUUID();
  private registration: MemberRegistration | null = null;

  constructor(
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
    @Inject(ShardService) private readonly shard: ShardService,
  ) {
    const { config, connection } = surroundings;
    const { RINGLEADER_CLUSTER: cluster, RINGLEADER_MEMBER: id } = config;
    const meter = new LoadMeter({
      inFlight: () => shard.requests.inFlight,
      requestsTotal: () => shard.requests.total,
    });
    const identity = { service: 'shard', id, instance: this.instance } as const;
    this.heartbeat = new HeartbeatPublisher(identity, meter, heartbeatSink(connection, cluster));
  }

  /** Registers in the background; the ordinal is added when the shard has got one. */
  start(address: string): void {
    const { config, coordination, logger } = this.surroundings;
    const registration = new MemberRegistration({
      client: coordination,
      member: {
        service: 'shard',
        id: config.RINGLEADER_MEMBER,
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
  }
}
