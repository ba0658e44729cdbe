/**
 * What the leaders of partitions on the move have said last. Volatile: it is said again all the time. A report counts only
 * for the epoch that it names; that a leader was ready at a joint epoch stays true for ever (docs/PROTOCOL.md 6.3).
 */
import type { Ballot, Epoch, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { MapEntry } from './cluster-state.js';
import type { PlannerRules } from './rules.js';

export interface LearnerReport {
  readonly ordinal: ShardOrdinal;
  readonly caughtUp: boolean;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface PartitionReport {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly ballot: Ballot;
  readonly ready: boolean;
  readonly learners: readonly LearnerReport[];
}

export interface Progress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number;
}

interface Known {
  readonly report: PartitionReport;
  readonly by: ShardOrdinal;
  readonly progress: Progress;
  /** For the rate: how many bytes there were, and when. */
  readonly countedBytes: number;
  readonly countedAtMs: number;
  readonly furthest: Furthest;
}

/** How much of a copy was there at most under one leader, and since when. */
interface Furthest {
  readonly bytes: number;
  readonly atMs: number;
}

/** A ballot is round x 65536 + ordinal (docs/PROTOCOL.md 4.0). */
const ORDINALS = 65_536;
const NO_PROGRESS: Progress = { bytesDone: 0, bytesTotal: 0, bytesPerSecond: 0 };
/** A rate is taken over at least so long. */
const RATE_WINDOW_MS = 1_000;
const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;
/** What a shard says of its users counts for so long: it says it all the time while anything moves. */
const QUIET_FOR_MS = 15_000;
/** More of them make no difference. */
const QUIET_MINUTES_MAX = 10;

export class MoveReports {
  readonly #known = new Map<PartitionIndex, Known>();
  /** Of copies that were seen to the end, for estimates of those to come. */
  #bytesSeen = 0;
  #copiesSeen = 0;
  #bytesCopied = 0;
  /** Since when the entry of a partition that moves is as it is. */
  #followed = new Map<PartitionIndex, { readonly epoch: Epoch; readonly sinceMs: number }>();
  readonly #quiet = new Map<ShardOrdinal, { readonly minutes: number; readonly saidAtMs: number }>();

  constructor(private readonly rules: Pick<PlannerRules, 'isReady'>) {}

  /** Whether something is so now that was not before: a step may have become possible. */
  take(by: ShardOrdinal, reports: readonly PartitionReport[], nowMs: number): boolean {
    let isNews = false;
    for (const report of reports) if (this.#takeOne(by, report, nowMs)) isNews = true;
    return isNews;
  }

  /** Since copies from the shard last gave way to users; null: never. True where that is news, as of `take`. */
  takeQuiet(by: ShardOrdinal, quietMs: number | null, nowMs: number): boolean {
    const minutes =
      quietMs === null ? QUIET_MINUTES_MAX : Math.min(Math.floor(quietMs / MS_PER_MINUTE), QUIET_MINUTES_MAX);
    const isNews = minutes !== this.quietMinutes(by, nowMs);
    this.#quiet.set(by, { minutes, saidAtMs: nowMs });
    return isNews;
  }

  #takeOne(by: ShardOrdinal, report: PartitionReport, nowMs: number): boolean {
    if (report.ballot % ORDINALS !== by) return false;
    const before = this.#known.get(report.partition);
    if (before !== undefined && isOlder(report, before.report)) return false;
    const isSameEpoch = before?.report.epoch === report.epoch;
    const ready = report.ready || (isSameEpoch && before.report.ready);
    const furthest = furthestOf(report, before, nowMs);
    const known = { report: { ...report, ready }, by, furthest, ...this.#measure(report, before, nowMs) };
    this.#known.set(report.partition, known);
    const caughtUp = (of: PartitionReport): string =>
      of.learners.flatMap((learner) => (learner.caughtUp ? learner.ordinal : [])).join();
    return !isSameEpoch || ready !== before.report.ready || caughtUp(report) !== caughtUp(before.report);
  }

  #measure(
    { learners }: PartitionReport,
    before: Known | undefined,
    nowMs: number,
  ): Pick<Known, 'progress' | 'countedBytes' | 'countedAtMs'> {
    const last = before?.progress ?? NO_PROGRESS;
    const [learner] = learners;
    if (learner === undefined) {
      const progress = { ...last, bytesPerSecond: 0 };
      return { progress, countedBytes: last.bytesDone, countedAtMs: nowMs };
    }
    const { bytesDone, bytesTotal } = learner;
    // Another copy than before began from nothing.
    const isSame = before !== undefined && bytesDone >= last.bytesDone;
    this.#bytesCopied += isSame ? bytesDone - last.bytesDone : bytesDone;
    if (!isSame) {
      const progress = { bytesDone, bytesTotal, bytesPerSecond: 0 };
      return { progress, countedBytes: bytesDone, countedAtMs: nowMs };
    }
    const elapsedMs = nowMs - before.countedAtMs;
    if (elapsedMs < RATE_WINDOW_MS) {
      const { countedBytes, countedAtMs } = before;
      return { progress: { ...last, bytesDone, bytesTotal }, countedBytes, countedAtMs };
    }
    const bytesPerSecond = ((bytesDone - before.countedBytes) * MS_PER_SECOND) / elapsedMs;
    return {
      progress: { bytesDone, bytesTotal, bytesPerSecond },
      countedBytes: bytesDone,
      countedAtMs: nowMs,
    };
  }

  isCaughtUp(entry: MapEntry, ordinal: ShardOrdinal): boolean {
    return this.#of(entry)?.report.learners.some((one) => one.ordinal === ordinal && one.caughtUp) ?? false;
  }

  /** Those that move now. */
  follow(moving: readonly MapEntry[], nowMs: number): void {
    const before = this.#followed;
    this.#followed = new Map();
    for (const { partition, epoch } of moving) {
      const known = before.get(partition);
      before.delete(partition);
      this.#followed.set(partition, known?.epoch === epoch ? known : { epoch, sinceMs: nowMs });
    }
    for (const partition of before.keys()) this.#end(partition);
  }

  /** Since when it has not come further: nobody leads it, the copy has as much (though it begins over and over), both sets do not follow. */
  standsStillSinceMs(entry: MapEntry): number | null {
    return this.#of(entry)?.furthest.atMs ?? this.#followed.get(entry.partition)?.sinceMs ?? null;
  }

  /** By a leader in the new set: another one hands over first. */
  isReady(entry: MapEntry): boolean {
    const known = this.#known.get(entry.partition);
    if (known === undefined || entry.nextReplicas?.includes(known.by) !== true) return false;
    return this.rules.isReady(known.report, entry);
  }

  /** Who leads a partition on the move, if it has said so. */
  leaderOf(entry: MapEntry): ShardOrdinal | null {
    return this.#of(entry)?.by ?? null;
  }

  /** Since then; null where it has not said so lately. */
  quietMinutes(by: ShardOrdinal, nowMs: number): number | null {
    const quiet = this.#quiet.get(by);
    return quiet === undefined || nowMs > quiet.saidAtMs + QUIET_FOR_MS ? null : quiet.minutes;
  }

  progress({ partition }: MapEntry): Progress {
    return this.#known.get(partition)?.progress ?? NO_PROGRESS;
  }

  /** Of one partition, by those that were copied; 0 before any was. */
  get bytesPerCopy(): number {
    return this.#copiesSeen === 0 ? 0 : this.#bytesSeen / this.#copiesSeen;
  }

  get bytesCopied(): number {
    return this.#bytesCopied;
  }

  #end(partition: PartitionIndex): void {
    const total = this.#known.get(partition)?.progress.bytesTotal ?? 0;
    if (total > 0) {
      this.#bytesSeen += total;
      this.#copiesSeen += 1;
    }
    this.#known.delete(partition);
  }

  #of(entry: MapEntry): Known | undefined {
    const known = this.#known.get(entry.partition);
    return known?.report.epoch === entry.epoch ? known : undefined;
  }
}

function furthestOf(report: PartitionReport, before: Known | undefined, nowMs: number): Furthest {
  const bytes = report.learners[0]?.bytesDone ?? 0;
  const isSame = before?.report.epoch === report.epoch && before.report.ballot === report.ballot;
  return isSame && bytes <= before.furthest.bytes ? before.furthest : { bytes, atMs: nowMs };
}

function isOlder(report: PartitionReport, than: PartitionReport): boolean {
  return report.epoch < than.epoch || (report.epoch === than.epoch && report.ballot < than.ballot);
}
