/** This gateway as a member like every other: in the service registry under a lease, with a heartbeat. */
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import { MemberRegistration } from '@ringleader/coordination';
import type { Coordinator } from '@ringleader/coordination';
import { heartbeatSink } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter, systemClock } from '@ringleader/observability';
import type { Logger, RequestCounters } from '@ringleader/observability';

export interface GatewayMembershipOptions {
  readonly client: Coordinator;
  readonly link: NatsLink;
  readonly cluster: string;
  readonly id: string;
  /** A new one for each process. */
  readonly instance: string;
  readonly address: string;
  readonly requests: RequestCounters;
  readonly logger: Logger;
}

export class GatewayMembership {
  private readonly heartbeat: HeartbeatPublisher;
  private readonly registration: MemberRegistration;

  constructor({ client, link, cluster, id, instance, address, requests, logger }: GatewayMembershipOptions) {
    this.heartbeat = new HeartbeatPublisher(
      { service: 'gateway', id, instance },
      new LoadMeter(requests),
      heartbeatSink(link, cluster, { service: 'gateway', member: id }),
    );
    this.registration = new MemberRegistration({
      client,
      member: {
        service: 'gateway',
        id,
        address,
        version: RINGLEADER_VERSION,
        instance,
        startedAt: new Date(systemClock.wallMs()).toISOString(),
        ordinal: 0,
        state: 'serving',
      },
      onRegistered: (lease) => logger.info({ lease }, 'Registered'),
      onTrouble: (error) => logger.warn({ error }, 'Registration is in trouble'),
    });
  }

  /** Registers in the background: requests do not wait for it. */
  start(): void {
    void this.registration.start();
    this.heartbeat.start();
  }

  async stop(): Promise<void> {
    this.heartbeat.stop();
    await this.registration.stop();
  }
}
