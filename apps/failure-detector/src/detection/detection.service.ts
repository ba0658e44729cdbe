import { Injectable } from '@nestjs/common';
import { HEARTBEAT_INTERVAL_MS, MEMBERS_PREFIX, SERVICES, SHARDS_PREFIX } from '@ringleader/contracts';
import type { Heartbeat, Service, VerdictReport } from '@ringleader/contracts';
import { FailureDetector } from '@ringleader/failure-detection';
import type { MemberAssessment } from '@ringleader/failure-detection';
import type { MonotonicMs } from '@ringleader/primitives';
import { Self, ServiceClock } from '@ringleader/service-host';
import { FailureDetectorConfig, detectorSettings } from '../failure-detector.config.js';
import { DetectorMetrics } from './detector-metrics.js';

/** What the detector calls a member: `shard/shard-1`. */
export type MemberName = string;

export interface MemberIdentity {
  readonly service: Service;
  readonly id: string;
}

export const memberName = ({ service, id }: MemberIdentity): MemberName => `${service}/${id}`;

/** Null for a service that this version does not know. */
export function parseMemberName(name: MemberName): MemberIdentity | null {
  const slash = name.indexOf('/');
  const service = SERVICES.find((known) => known === name.slice(0, slash));
  return service === undefined ? null : { service, id: name.slice(slash + 1) };
}

/** From a key of the service registry, which ends in just that name. */
export const nameOfMemberKey = (key: string): MemberName => key.slice(MEMBERS_PREFIX.length);

/** From a key of the shards, whose registration is for ever: a dead one is missed even after its lease ran out. */
export const nameOfShardKey = (key: string): MemberName =>
  memberName({ service: 'shard', id: key.slice(SHARDS_PREFIX.length) });

export interface Opinion {
  readonly at: MonotonicMs;
  readonly assessments: readonly MemberAssessment[];
}

const ECHO_SILENCE_MAX_MS = 2 * HEARTBEAT_INTERVAL_MS;

/**
 * The detector's own heartbeat, as it comes back from NATS. While it does not, the silence of others says nothing about
 * them: the connection, or NATS itself, is at fault.
 */
class Echo {
  #lastAt: MonotonicMs | undefined;

  heard(now: MonotonicMs): void {
    this.#lastAt = now;
  }

  isRecent(now: MonotonicMs): boolean {
    return this.#lastAt !== undefined && now - this.#lastAt <= ECHO_SILENCE_MAX_MS;
  }
}

/** Six reports in a row were lost, or the detector is gone. */
const PEER_SILENCE_MAX_MS = 1_500;

/** What the other detectors say: how many of them there are, and whom they suspect. */
class PeerDetectors {
  readonly #self: string;
  readonly #detector: FailureDetector;
  readonly #lastReportAt = new Map<string, MonotonicMs>();

  constructor(self: string, detector: FailureDetector) {
    this.#self = self;
    this.#detector = detector;
  }

  take({ detector, members }: VerdictReport, now: MonotonicMs): void {
    if (detector === this.#self) return;
    this.#lastReportAt.set(detector, now);
    for (const { service, id, verdict } of members) {
      const suspects = verdict === 'suspect' || verdict === 'down';
      this.#detector.confirm(memberName({ service, id }), detector, suspects);
    }
  }

  /** Those that still report. */
  count(now: MonotonicMs): number {
    for (const [detector, at] of this.#lastReportAt) {
      if (now - at <= PEER_SILENCE_MAX_MS) continue;
      this.#lastReportAt.delete(detector);
      this.#detector.forgetDetector(detector);
    }
    return this.#lastReportAt.size;
  }
}

/** The detector's core with a clock, and with the doubt whether it hears anything at all. */
@Injectable()
export class DetectionService {
  readonly #detector: FailureDetector;
  readonly #peers: PeerDetectors;
  readonly #echo = new Echo();

  constructor(
    config: FailureDetectorConfig,
    private readonly self: Self,
    private readonly clock: ServiceClock,
    private readonly metrics: DetectorMetrics,
  ) {
    this.#detector = new FailureDetector(detectorSettings(config));
    this.#peers = new PeerDetectors(self.id, this.#detector);
  }

  /** The own heartbeat came back lately. */
  get isHearing(): boolean {
    return this.#echo.isRecent(this.clock.monotonicMs());
  }

  /** Exactly these are registered, this process left out. */
  list(members: ReadonlySet<MemberName>): void {
    const self = memberName({ service: 'failure-detector', id: this.self.id });
    const others = new Set([...members].filter((member) => member !== self));
    this.#detector.list(others, this.clock.monotonicMs());
  }

  hear(heartbeat: Heartbeat): void {
    const now = this.clock.monotonicMs();
    if (heartbeat.instance === this.self.instance) {
      this.#echo.heard(now);
      return;
    }
    const isNews = this.#detector.beat(memberName(heartbeat), heartbeat, now);
    if (isNews) this.metrics.heartbeats.inc();
  }

  hearReport(report: VerdictReport): void {
    this.#peers.take(report, this.clock.monotonicMs());
  }

  /**
   * To be called every tick. Null while the own heartbeat does not come back: then nobody is judged, and the core takes
   * the time for a pause of its own.
   */
  assess(): Opinion | null {
    const at = this.clock.monotonicMs();
    if (!this.#echo.isRecent(at)) return null;
    const assessments = this.#detector.assess(at, this.#peers.count(at));
    this.metrics.show(assessments, this.#detector.distrust);
    return { at, assessments };
  }
}
