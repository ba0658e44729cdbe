import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HEARTBEAT_INTERVAL_MS } from '@ringleader/contracts';
import type { MemberAssessment, MemberState } from '@ringleader/failure-detection';
import type { MonotonicMs } from '@ringleader/primitives';
import { Self, ServiceLogger } from '@ringleader/service-host';
import {
  DetectionService,
  parseMemberName,
  type MemberName,
  type Opinion,
} from '../detection/detection.service.js';
import { TelemetryTransport } from '../detection/telemetry-transport.nats.js';

const REPORT_INTERVAL_MS = HEARTBEAT_INTERVAL_MS;

/** Publishes what this detector says: four times a second, and at once when it has changed its mind. */
@Injectable()
export class VerdictPublisherService implements OnApplicationBootstrap {
  readonly #states = new Map<MemberName, MemberState>();
  #sequence = 0;
  #nextReportAt: MonotonicMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly detection: DetectionService,
    private readonly transport: TelemetryTransport,
    private readonly self: Self,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.detection.onOpinion((opinion) => this.#take(opinion));
  }

  #take({ at, assessments }: Opinion): void {
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
    for (const { member, state, phi, silenceMs, probes, isHeld } of assessments) {
      const before = this.#states.get(member) ?? null;
      if (before === state) continue;
      this.#states.set(member, state);
      hasChanged = true;
      const level = state === 'suspect' || state === 'down' ? 'warn' : 'info';
      const facts = { about: member, before, verdict: state, phi, silenceMs, probes, isHeld };
      this.logger[level](facts, 'Opinion changed');
    }
    return hasChanged;
  }

  #publish(assessments: readonly MemberAssessment[]): void {
    this.#sequence += 1;
    this.transport.publishReport({
      detector: this.self.id,
      instance: this.self.instance,
      sequence: this.#sequence,
      members: assessments.flatMap(({ member, state, phi, silenceMs, instance, incarnation }) => {
        const identity = parseMemberName(member);
        if (identity === null) return [];
        const known = { instance, incarnation, lastHeartbeatAgeMs: silenceMs };
        return [{ ...identity, verdict: state, phi, ...known }];
      }),
    });
  }
}
