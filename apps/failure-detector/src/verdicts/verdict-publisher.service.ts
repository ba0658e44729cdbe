import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HEARTBEAT_INTERVAL_MS } from '@ringleader/contracts';
import type { MemberAssessment, MemberState } from '@ringleader/failure-detection';
import { togetherEvery } from '@ringleader/observability';
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
export class VerdictPublisherService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #states = new Map<MemberName, MemberState>();
  #sequence = 0;
  /** Null where there was none since the last report: nobody is judged then. */
  #latest: readonly MemberAssessment[] | null = null;
  #end: (() => void) | null = null;

  constructor(
    private readonly detection: DetectionService,
    private readonly transport: TelemetryTransport,
    private readonly self: Self,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.detection.onOpinion((opinion) => this.#take(opinion));
    this.#end = togetherEvery(REPORT_INTERVAL_MS, () => {
      if (this.#latest !== null) this.#publish(this.#latest);
    });
  }

  beforeApplicationShutdown(): void {
    this.#end?.();
  }

  #take({ assessments }: Opinion): void {
    this.#latest = assessments;
    if (this.#noteChanges(assessments)) this.#publish(assessments);
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
    this.#latest = null;
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
