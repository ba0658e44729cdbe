import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DETECTOR_DEFAULTS } from '@ringleader/failure-detection';
import { togetherEvery } from '@ringleader/observability';
import { DetectionService } from './detection.service.js';
import { TelemetryTransport } from './telemetry-transport.nats.js';

/** Hands what comes over NATS to the detector, and ticks it. */
@Injectable()
export class DetectionLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #end: (() => void) | null = null;

  constructor(
    private readonly detection: DetectionService,
    private readonly transport: TelemetryTransport,
  ) {}

  onApplicationBootstrap(): void {
    this.transport.onHeartbeat((heartbeat) => this.detection.hear(heartbeat));
    this.transport.onReport((report) => this.detection.hearReport(report));
    this.#end = togetherEvery(DETECTOR_DEFAULTS.tickMs, () => this.detection.assess());
  }

  beforeApplicationShutdown(): void {
    this.#end?.();
  }
}
