import { Module } from '@nestjs/common';
import { Health } from '@ringleader/service-host';
import { DetectionService } from './detection/detection.service.js';
import { DetectorMetrics } from './detection/detector-metrics.js';
import { MemberListService } from './detection/member-list.service.js';
import { TelemetryTransport } from './detection/telemetry-transport.nats.js';
import { VerdictPublisherService } from './detection/verdict-publisher.service.js';

@Module({
  providers: [
    DetectorMetrics,
    TelemetryTransport,
    DetectionService,
    MemberListService,
    VerdictPublisherService,
  ],
})
export class AppModule {
  constructor(health: Health, detection: DetectionService, memberList: MemberListService) {
    // Why this detector's verdicts are not worth much now.
    health.readyWhen(() => [
      ...(detection.isHearing ? [] : ['the own heartbeat does not come back from NATS']),
      ...(memberList.isComplete ? [] : ['the registry was not read yet']),
    ]);
  }
}
