import { Injectable } from '@nestjs/common';
import { HEARTBEAT_INTERVAL_MS, MEMBERS_PREFIX, SERVICES, SHARDS_PREFIX } from '@ringleader/contracts';
import type { Heartbeat, Service, VerdictReport } from '@ringleader/contracts';
import { FailureDetector } from '@ringleader/failure-detection';
import type { MemberAssessment, ProbeOrder, ProbeReport } from '@ringleader/failure-detection';
import { seededPrng, type MonotonicMs } from '@ringleader/primitives';
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
  /** To be carried out now. */
  readonly orders: readonly ProbeOrder[];
}

const UINT32 = 2 ** 32;

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
    for (const { service, id, verdict, instance, incarnation } of members) {
      // Of one that it has not heard it says nothing.
      if (verdict === 'unknown') continue;
      const said = { suspects: verdict !== 'alive', instance, incarnation };
      this.#detector.confirm(memberName({ service, id }), detector, said, now);
    }
  }

  /** Those that still report. */
  count(now: MonotonicMs): number {
    for (const [detector, at] of this.#lastReportAt) {
      if (now - at <= PEER_SILENCE_MAX_MS) continue;
      this.#lastReportAt.delete(detector);
      this.#detector.forgetDetector(detector, now);
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
  readonly #listeners: ((opinion: Opinion) => void)[] = [];
  /** Whether the registry was read: before, it is not known who is missing. */
  isInformed: () => boolean = () => false;

  constructor(
    config: FailureDetectorConfig,
    readonly self: Self,
    private readonly clock: ServiceClock,
    private readonly metrics: DetectorMetrics,
  ) {
    this.#detector = new FailureDetector({
      settings: detectorSettings(config),
      self: this.name,
      prng: seededPrng(Math.floor(Math.random() * UINT32)),
    });
    this.#peers = new PeerDetectors(self.id, this.#detector);
  }

  /** The own heartbeat came back lately. */
  get isHearing(): boolean {
    return this.#echo.isRecent(this.clock.monotonicMs());
  }

  /** Of this detector, as a member. */
  get name(): MemberName {
    return memberName({ service: 'failure-detector', id: this.self.id });
  }

  /** Exactly these are registered, this process left out. */
  list(members: ReadonlySet<MemberName>): void {
    const others = new Set([...members].filter((member) => member !== this.name));
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

  /** What came of a probe, however late. */
  probed(report: ProbeReport): void {
    this.#detector.probed(report, this.clock.monotonicMs());
  }

  /** Told of every opinion, when it has been formed. */
  onOpinion(listener: (opinion: Opinion) => void): void {
    this.#listeners.push(listener);
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
    const opinion = { at, assessments, orders: this.#detector.takeOrders() };
    for (const listener of this.#listeners) listener(opinion);
    return opinion;
  }
}
