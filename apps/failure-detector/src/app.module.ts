import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { CoordinationClient } from '@ringleader/coordination';
import type { NatsConnection } from '@ringleader/nats';
import { createMetrics, systemClock } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import type { FailureDetectorConfig } from './failure-detector.config.js';
import { DetectionService } from './detection/detection.service.js';
import { DetectorMetrics } from './health/detector-metrics.js';
import { ReadinessService } from './health/readiness.service.js';
import { MembershipService } from './membership/membership.service.js';
import { MemberListService } from './registry/member-list.service.js';
import { TelemetryTransport } from './telemetry/telemetry-transport.nats.js';
import { CLOCK, CONFIG, COORDINATOR, LOGGER, METRICS, NATS, SELF, type Self } from './tokens.js';
import { VerdictPublisherService } from './verdicts/verdict-publisher.service.js';

export interface Surroundings {
  readonly config: FailureDetectorConfig;
  readonly logger: Logger;
  readonly connection: NatsConnection;
}

@Module({})
export class AppModule {
  static in({ config, logger, connection }: Surroundings): DynamicModule {
    const { RINGLEADER_CLUSTER: cluster, RINGLEADER_MEMBER: id } = config;
    const startedAt = new Date(systemClock.wallMs()).toISOString();
    const self: Self = { cluster, id, instance: randomUUID(), startedAt };
    return {
      module: AppModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: SELF, useValue: self },
        { provide: LOGGER, useValue: logger },
        { provide: NATS, useValue: connection },
        { provide: CLOCK, useValue: systemClock },
        { provide: METRICS, useValue: createMetrics({ service: 'failure-detector', member: id }) },
        {
          provide: COORDINATOR,
          useValue: new CoordinationClient({ connection, cluster, clock: systemClock }),
        },
        DetectorMetrics,
        TelemetryTransport,
        DetectionService,
        MemberListService,
        VerdictPublisherService,
        MembershipService,
        ReadinessService,
      ],
    };
  }
}
