import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HEARTBEAT_INTERVAL_MS } from '@ringleader/contracts';
import { DETECTOR_DEFAULTS } from '@ringleader/failure-detection';
import type { MemberAssessment, MemberState } from '@ringleader/failure-detection';
import type { MonotonicMs } from '@ringleader/primitives';
import { Self, ServiceLogger } from '@ringleader/service-host';
import { DetectionService, parseMemberName, type MemberName } from './detection.service.js';
import { TelemetryTransport } from './telemetry-transport.nats.js';

const REPORT_INTERVAL_MS = HEARTBEAT_INTERVAL_MS;

/** Hands what comes over NATS to the detector, ticks it, and publishes what it says: four times a second, and at once when a verdict changes. */
@Injectable()
export class VerdictPublisherService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #states = new Map<MemberName, MemberState>();
  #sequence = 0;
  #nextReportAt: MonotonicMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly detection: DetectionService,
    private readonly transport: TelemetryTransport,
    private readonly self: Self,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.transport.onHeartbeat((heartbeat) => this.detection.hear(heartbeat));
    this.transport.onReport((report) => this.detection.hearReport(report));
    this.#timer = setInterval(() => this.#tick(), DETECTOR_DEFAULTS.tickMs);
  }

  beforeApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #tick(): void {
    const opinion = this.detection.assess();
    if (opinion === null) return;
    const { at, assessments } = opinion;
    const hasChanged = this.#noteChanges(assessments);
    if (!hasChanged && at < this.#nextReportAt) return;
    // Counted on from when the last one was due, so that ticks that do not divide the interval do not stretch it.
    this.#nextReportAt = Math.max(this.#nextReportAt, at - REPORT_INTERVAL_MS) + REPORT_INTERVAL_MS;
    this.#publish(assessments);
  }

  #noteChanges(assessments: readonly MemberAssessment[]): boolean {
    const present = new Set(assessments.map(({ member }) => member));
    for (const member of this.#states.keys()) if (!present.has(member)) this.#states.delete(member);
    let hasChanged = false;
    for (const { member, state, phi, silenceMs } of assessments) {
      const before = this.#states.get(member) ?? null;
      if (before === state) continue;
      this.#states.set(member, state);
      hasChanged = true;
      const level = state === 'suspect' || state === 'down' ? 'warn' : 'info';
      this.logger[level]({ about: member, before, verdict: state, phi, silenceMs }, 'Verdict changed');
    }
    return hasChanged;
  }

  #publish(assessments: readonly MemberAssessment[]): void {
    this.#sequence += 1;
    this.transport.publishReport({
      detector: this.self.id,
      instance: this.self.instance,
      sequence: this.#sequence,
      members: assessments.flatMap(({ member, state, phi, silenceMs }) => {
        const identity = parseMemberName(member);
        return identity === null ? [] : [{ ...identity, verdict: state, phi, lastHeartbeatAgeMs: silenceMs }];
      }),
    });
  }
}
