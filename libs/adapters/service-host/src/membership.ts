/** This process as a member of the cluster: in the service registry under a lease, with a heartbeat that carries its load. */
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import type { Member } from '@ringleader/contracts';
import { MemberRegistration } from '@ringleader/coordination';
import { NatsLink, heartbeatSink } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter } from '@ringleader/observability';
import type { RequestCounters } from '@ringleader/observability';
import { Coordination, HostSigns, Self } from './injectables.js';

const LEAVE_WITHIN_MS = 1_500;

@Injectable()
export class Membership implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #heartbeat: HeartbeatPublisher;
  readonly #registration: MemberRegistration;
  #counters: RequestCounters = { inFlight: () => 0, requestsTotal: () => 0 };

  constructor(
    self: Self,
    private readonly client: Coordination,
    link: NatsLink,
    { logger, health }: HostSigns,
  ) {
    const { cluster, service, id, instance, startedAt, address } = self;
    const meter = new LoadMeter({
      inFlight: () => this.#counters.inFlight(),
      requestsTotal: () => this.#counters.requestsTotal(),
    });
    this.#heartbeat = new HeartbeatPublisher(
      { service, id, instance },
      meter,
      heartbeatSink(link, cluster, { service, member: id }),
      () => health.readiness().length === 0,
    );
    const version = RINGLEADER_VERSION;
    this.#registration = new MemberRegistration({
      client,
      member: { service, id, address, version, instance, startedAt, ordinal: 0, state: 'serving' },
      onRegistered: (lease) => logger.info({ lease }, 'Registered'),
      onTrouble: (error) => logger.warn({ error }, 'Registration is in trouble'),
    });
    health.onDrain(() => this.update({ state: 'stopping' }));
  }

  get isRegistered(): boolean {
    return this.#registration.isRegistered;
  }

  /** What the heartbeat tells of the load. */
  measure(counters: RequestCounters): void {
    this.#counters = counters;
  }

  /** Before it is registered this is what it is registered with. */
  update(change: Partial<Pick<Member, 'state' | 'ordinal' | 'address'>>): void {
    this.#registration.update(change);
  }

  /** Registers in the background: nothing that a service does waits for it. */
  onApplicationBootstrap(): void {
    void this.#registration.start();
    this.#heartbeat.start();
  }

  /**
   * After all others have drained: till then it beats, so that nobody takes it for dead. Where no coordinator answers, the
   * lease runs out by itself.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.#heartbeat.stop();
    const left = this.#registration.stop();
    await Promise.race([left, pause(LEAVE_WITHIN_MS, undefined, { ref: false })]);
    // Calls that still wait for an answer end by this.
    await this.client.close();
    await left;
  }
}
