import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { CoordinationClient } from '@ringleader/coordination';
import { NatsLink, NatsLinks } from '@ringleader/nats';
import { Registry, systemClock } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { FatalErrors } from './fatal-errors.js';
import { Health } from './health.js';
import { HeapPressure } from './heap-pressure.js';
import { Coordination, HostSigns, Self, ServiceClock, ServiceLogger, StopBudget } from './injectables.js';
import { Membership } from './membership.js';
import { NatsFigures } from './nats-figures.js';
import { NatsRoundTrips } from './nats-round-trips.js';
import { SignsOfLife } from './signs-of-life.js';
import type { NatsWaiting } from './nats-waiting.js';

/** What the process has before its application begins. */
export interface HostParts {
  readonly self: Self;
  readonly config: Provider;
  readonly logger: Logger;
  readonly health: Health;
  readonly fatal: FatalErrors;
  readonly metrics: Registry;
  readonly nats: NatsWaiting;
  readonly budget: StopBudget;
  /** Absent: the real one. */
  readonly coordination?: Coordination | undefined;
}

/** Global: every module of a service may ask for what is here. Its hooks run before theirs at the start, after them at the end. */
@Module({})
export class HostModule {
  static of(parts: HostParts): DynamicModule {
    const { self, config, logger, health, fatal, metrics, nats, budget, coordination } = parts;
    const providers: Provider[] = [
      config,
      { provide: Self, useValue: self },
      { provide: ServiceLogger, useValue: logger },
      { provide: ServiceClock, useValue: systemClock },
      { provide: Health, useValue: health },
      { provide: HostSigns, useValue: { logger, health, fatal } satisfies HostSigns },
      { provide: FatalErrors, useValue: fatal },
      { provide: StopBudget, useValue: budget },
      { provide: Registry, useValue: metrics },
      // Whoever needs NATS is made when it has answered; who does not, such as a log on disk, is opened meanwhile.
      { provide: NatsLinks, useFactory: nats.connect },
      { provide: NatsLink, useFactory: ({ control }: NatsLinks) => control, inject: [NatsLinks] },
      {
        provide: Coordination,
        useFactory: (link: NatsLink) =>
          coordination ??
          new CoordinationClient({
            link,
            cluster: self.cluster,
            speaker: { service: self.service, member: self.id },
            clock: systemClock,
          }),
        inject: [NatsLink],
      },
      HeapPressure,
      NatsFigures,
      SignsOfLife,
      Membership,
      NatsRoundTrips,
    ];
    return { module: HostModule, global: true, providers, exports: providers };
  }
}
