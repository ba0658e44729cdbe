import { Module } from '@nestjs/common';
import { DetectorMetrics } from '../health/detector-metrics.js';
import { TelemetryTransport } from '../telemetry/telemetry-transport.nats.js';
import { DetectionService } from './detection.service.js';
import { HearingService } from './hearing.service.js';

/** From what is heard to what is made of it. */
@Module({
  providers: [DetectorMetrics, TelemetryTransport, DetectionService, HearingService],
  exports: [DetectionService, TelemetryTransport],
})
export class DetectionModule {}
