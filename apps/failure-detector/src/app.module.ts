import { Module } from '@nestjs/common';
import { Health } from '@ringleader/service-host';
import { DetectionService } from './detection/detection.service.js';
import { DetectorMetrics } from './detection/detector-metrics.js';
import { MemberListService } from './detection/member-list.service.js';
import { TelemetryTransport } from './detection/telemetry-transport.nats.js';
import { DetectionLoop } from './detection/detection-loop.js';
import { ProbingService } from './probing/probing.service.js';
import { VerdictPublisherService } from './verdicts/verdict-publisher.service.js';
import { VotingService } from './verdicts/voting.service.js';

@Module({
  providers: [
    DetectorMetrics,
    TelemetryTransport,
    DetectionService,
    MemberListService,
    VerdictPublisherService,
    ProbingService,
    VotingService,
    DetectionLoop,
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
