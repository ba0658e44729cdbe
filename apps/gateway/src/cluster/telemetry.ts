/**
 * What members say of themselves, and failure detectors of the members, lately. Both are advice: what is too old counts
 * as nothing (docs/ARCHITECTURE.md, "Failure detection").
 */
import { heartbeatSchema, verdictReportSchema } from '@ringleader/contracts';
import type { Heartbeat, Load, Member, Service, Speaker, VerdictReport } from '@ringleader/contracts';
import type { MonotonicMs } from '@ringleader/primitives';

/** Twelve heartbeats, and six reports of a detector that makes two a second. */
const FRESH_MS = 3_000;

interface Heard<T> {
  readonly at: MonotonicMs;
  readonly said: T;
}

const nameOf = (service: Service, id: string): string => `${service}/${id}`;

export class Telemetry {
  private readonly heartbeats = new Map<string, Heard<Heartbeat>>();
  private readonly reports = new Map<string, Heard<ReadonlyMap<string, VerdictReport['members'][number]>>>();

  /** Returns false for what is none, or claims to be another's. */
  heartbeat(speaker: Speaker, message: unknown, now: MonotonicMs): boolean {
    const parsed = heartbeatSchema.safeParse(message);
    if (!parsed.success) return false;
    const { service, id } = parsed.data;
    if (service !== speaker.service || id !== speaker.member) return false;
    this.heartbeats.set(nameOf(service, id), { at: now, said: parsed.data });
    this.forget(now);
    return true;
  }

  /** Returns false for what is none, or claims to be another's. */
  verdictReport(speaker: Speaker, message: unknown, now: MonotonicMs): boolean {
    const parsed = verdictReportSchema.safeParse(message);
    if (!parsed.success) return false;
    const { detector, members } = parsed.data;
    if (detector !== speaker.member) return false;
    const byName = new Map(members.map((member) => [nameOf(member.service, member.id), member]));
    this.reports.set(detector, { at: now, said: byName });
    return true;
  }

  load(service: Service, id: string, now: MonotonicMs): Load | null {
    const heard = this.heartbeats.get(nameOf(service, id));
    return heard !== undefined && isFresh(heard, now) ? heard.said.load : null;
  }

  /**
   * What is registered is of the process that beats, and that process calls itself ready. Of one that is not heard the
   * detectors tell.
   */
  isReady({ service, id, instance }: Member, now: MonotonicMs): boolean {
    const heard = this.heartbeats.get(nameOf(service, id));
    if (heard === undefined || !isFresh(heard, now)) return true;
    return heard.said.instance === instance && heard.said.ready;
  }

  detectors(now: MonotonicMs): number {
    return [...this.reports.values()].filter((report) => isFresh(report, now)).length;
  }

  /** The median of what the detectors make of its silence; null when none of them has an opinion. */
  phi(service: Service, id: string, now: MonotonicMs): number | null {
    const reports = [...this.reports.values()].filter((report) => isFresh(report, now));
    return median(reports.flatMap(({ said }) => said.get(nameOf(service, id))?.phi ?? []));
  }

  private forget(now: MonotonicMs): void {
    for (const [name, heard] of this.heartbeats) if (!isFresh(heard, now)) this.heartbeats.delete(name);
    for (const [name, report] of this.reports) if (!isFresh(report, now)) this.reports.delete(name);
  }
}

function isFresh(heard: Heard<unknown>, now: MonotonicMs): boolean {
  return now - heard.at <= FRESH_MS;
}

function median(numbers: readonly number[]): number | null {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
