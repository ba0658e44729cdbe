/** This process as a member of the cluster: in the service registry under a lease, with signs of life. */
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import type { Member } from '@ringleader/contracts';
import { MemberRegistration } from '@ringleader/coordination';
import type { RequestCounters } from '@ringleader/observability';
import { Coordination, HostSigns, Self } from './injectables.js';
import { SignsOfLife } from './signs-of-life.js';

const LEAVE_WITHIN_MS = 1_500;
const TELL_EVERY_MS = 60_000;

@Injectable()
export class Membership implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #registration: MemberRegistration;
  readonly #registered = Promise.withResolvers<void>();
  #toldNextAt = 0;
  #isLeaving = false;
  #hasLeft = false;

  constructor(
    self: Self,
    private readonly client: Coordination,
    private readonly signs: SignsOfLife,
    { logger, health }: HostSigns,
  ) {
    const { service, id, instance, startedAt, address } = self;
    const version = RINGLEADER_VERSION;
    this.#registration = new MemberRegistration({
      client,
      member: { service, id, address, version, instance, startedAt, ordinal: 0, state: 'serving' },
      onRegistered: (lease) => {
        logger.info({ lease }, 'Registered');
        this.#registered.resolve();
      },
      onTrouble: (error) => {
        // Whoever waits for a group of coordinators to let it in is in this trouble for as long as it waits.
        const isDue = performance.now() >= this.#toldNextAt;
        if (isDue) this.#toldNextAt = performance.now() + TELL_EVERY_MS;
        logger[isDue ? 'warn' : 'debug']({ error }, 'Registration is in trouble');
      },
    });
    health.onDrain(() => {
      this.update({ state: 'stopping' });
      this.#isLeaving = true;
    });
  }

  get isRegistered(): boolean {
    return this.#registration.isRegistered;
  }

  /** Settles when it is registered for the first time: from then on others can know what it says of itself. */
  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  /** What the heartbeat tells of the load. */
  measure(counters: RequestCounters): void {
    this.signs.measure(counters);
  }

  /** Before it is registered this is what it is registered with. Whoever stops becomes nothing else any more. */
  update(change: Partial<Pick<Member, 'state' | 'ordinal' | 'address' | 'leaseMs'>>): void {
    if (!this.#isLeaving) this.#registration.update(change);
  }

  /** Whoever cannot do what it is there for gives no sign of life: after a while it is down for all others, and they manage without it. */
  setSilent(isSilent: boolean): void {
    if (isSilent) this.signs.stop();
    else if (!this.#hasLeft) this.signs.start();
  }

  /** Registers in the background: nothing that a service does waits for it. */
  onApplicationBootstrap(): void {
    void this.#registration.start();
    this.signs.start();
  }

  /**
   * After all others have drained: till then it beats, so that nobody takes it for dead. Where no coordinator answers, the
   * lease runs out by itself.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.#hasLeft = true;
    this.signs.stop();
    const left = this.#registration.stop();
    await Promise.race([left, pause(LEAVE_WITHIN_MS, undefined, { ref: false })]);
    // Calls that still wait for an answer end by this.
    await this.client.close();
    await left;
  }
}
