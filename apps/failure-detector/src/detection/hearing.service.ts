import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { TelemetryTransport } from '../telemetry/telemetry-transport.nats.js';
import { DetectionService } from './detection.service.js';

/** Hands what comes over NATS to the detector. */
@Injectable()
export class HearingService implements OnApplicationBootstrap {
  constructor(
    private readonly transport: TelemetryTransport,
    private readonly detection: DetectionService,
  ) {}

  onApplicationBootstrap(): void {
    this.transport.onHeartbeat((heartbeat) => this.detection.hear(heartbeat));
    this.transport.onReport((report) => this.detection.hearReport(report));
  }
}
