/**
 * Who leads which partition, as far as this gateway knows. Pure: readings of the clock are arguments.
 *
 * Leaders announce themselves once their barrier is committed, and again every few hundred milliseconds; whoever is asked
 * and does not lead may hint at a higher ballot, which says who stood for election, not who won. So a hint is followed at
 * once, but for a short while only: if nothing confirms it, the announced leader is asked again.
 */
import type { Ballot, Epoch, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';

export interface Route {
  readonly shard: ShardOrdinal;
  /** 0 where none is known: a write at ballot 0 does nothing but bring a hint. */
  readonly ballot: Ballot;
  readonly epoch: Epoch;
}

export interface LeaderTableTimings {
  /** How long an unconfirmed hint is followed. */
  readonly hintMs: number;
  /** Without an announcement for so long, a leader counts as unknown in reports; it is still asked first. */
  readonly announcementMs: number;
}

interface Entry {
  announced: Route | null;
  announcedAt: MonotonicMs;
  hinted: Route | null;
  hintedAt: MonotonicMs;
}

/** round x 65536 + ordinal (docs/PROTOCOL.md 4.0). */
const ORDINALS = 65_536;

export class LeaderTable {
  private readonly entries: Entry[] = [];

  constructor(private readonly timings: LeaderTableTimings) {}

  /** True when the route changed to a higher ballot. */
  announce(partition: PartitionIndex, epoch: Epoch, ballot: Ballot, now: MonotonicMs): boolean {
    const entry = this.entry(partition);
    const known = entry.announced?.ballot ?? 0;
    if (ballot < known) return false;
    entry.announcedAt = now;
    if (ballot === known) return false;
    entry.announced = { shard: ballot % ORDINALS, ballot, epoch };
    if (entry.hinted !== null && entry.hinted.ballot <= ballot) entry.hinted = null;
    return true;
  }

  /** True when the hint is news. */
  hint(partition: PartitionIndex, hint: Route, now: MonotonicMs): boolean {
    if (hint.ballot === 0) return false;
    const entry = this.entry(partition);
    const known = Math.max(entry.announced?.ballot ?? 0, entry.hinted?.ballot ?? 0);
    if (hint.ballot <= known) return false;
    entry.hinted = { ...hint, shard: hint.shard === 0 ? hint.ballot % ORDINALS : hint.shard };
    entry.hintedAt = now;
    return true;
  }

  route(partition: PartitionIndex, now: MonotonicMs): Route | null {
    const entry = this.entries[partition];
    if (entry === undefined) return null;
    if (entry.hinted !== null && (entry.announced === null || now - entry.hintedAt < this.timings.hintMs)) {
      return entry.hinted;
    }
    return entry.announced;
  }

  /** Null when nobody has announced to lead it lately. */
  announcedLeader(partition: PartitionIndex, now: MonotonicMs): ShardOrdinal | null {
    const entry = this.entries[partition];
    if (entry === undefined || now - entry.announcedAt > this.timings.announcementMs) return null;
    return entry.announced?.shard ?? null;
  }

  private entry(partition: PartitionIndex): Entry {
    const known = this.entries[partition];
    if (known !== undefined) return known;
    const entry: Entry = { announced: null, announcedAt: 0, hinted: null, hintedAt: 0 };
    this.entries[partition] = entry;
    return entry;
  }
}
