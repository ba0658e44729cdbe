/**
 * Who leads which partition, as far as this gateway knows. Pure: readings of the clock are arguments.
 *
 * Leaders announce themselves once their barrier is committed, and again every few hundred milliseconds; whoever is asked
 * and does not lead may hint at a higher ballot, which says who stood for election, not who won. So a hint is followed at
 * once, but for a short while only: if nothing confirms it, the announced leader is asked again.
 *
 * Nothing that is believed here outlives its source: a ballot which nobody announces any more, or a hint whose time is
 * over, holds up no other, however high it is. A leader announces itself again and again; a falsehood does not.
 */
import type { Leadership } from '@ringleader/contracts';
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
  /**
   * Without an announcement for so long, a leader counts as unknown in reports, and any other that announces itself is
   * believed; until then it is still asked first.
   */
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

  /** What `speaker` says of itself. True when the route changed. */
  announce(speaker: ShardOrdinal, { partition, epoch, ballot }: Leadership, now: MonotonicMs): boolean {
    // A ballot belongs to who stood for it: nobody announces another's.
    if (ballot % ORDINALS !== speaker) return false;
    const entry = this.entry(partition);
    if (ballot < this.announcedBallot(entry, now)) return false;
    const isNews = ballot !== entry.announced?.ballot;
    entry.announcedAt = now;
    if (!isNews) return false;
    entry.announced = { shard: speaker, ballot, epoch };
    if (ballot >= this.hintedBallot(entry, now)) entry.hinted = null;
    return true;
  }

  /** True when the hint is news. */
  hint(partition: PartitionIndex, hint: Route, now: MonotonicMs): boolean {
    if (hint.ballot === 0) return false;
    const entry = this.entry(partition);
    const known = Math.max(this.announcedBallot(entry, now), this.hintedBallot(entry, now));
    if (hint.ballot <= known || hint.ballot === entry.hinted?.ballot) return false;
    entry.hinted = { ...hint, shard: hint.shard === 0 ? hint.ballot % ORDINALS : hint.shard };
    entry.hintedAt = now;
    return true;
  }

  route(partition: PartitionIndex, now: MonotonicMs): Route | null {
    const entry = this.entries[partition];
    if (entry === undefined) return null;
    return entry.announced === null || this.hintedBallot(entry, now) > 0
      ? (entry.hinted ?? entry.announced)
      : entry.announced;
  }

  /** Null when nobody has announced to lead it lately. */
  announcedLeader(partition: PartitionIndex, now: MonotonicMs): ShardOrdinal | null {
    const entry = this.entries[partition];
    if (entry === undefined || this.announcedBallot(entry, now) === 0) return null;
    return entry.announced?.shard ?? null;
  }

  /** 0 when nobody has announced it lately. */
  private announcedBallot({ announced, announcedAt }: Entry, now: MonotonicMs): Ballot {
    if (announced === null || now - announcedAt > this.timings.announcementMs) return 0;
    return announced.ballot;
  }

  /** 0 when its time is over. */
  private hintedBallot({ hinted, hintedAt }: Entry, now: MonotonicMs): Ballot {
    return hinted === null || now - hintedAt >= this.timings.hintMs ? 0 : hinted.ballot;
  }

  private entry(partition: PartitionIndex): Entry {
    const known = this.entries[partition];
    if (known !== undefined) return known;
    const entry: Entry = { announced: null, announcedAt: 0, hinted: null, hintedAt: 0 };
    this.entries[partition] = entry;
    return entry;
  }
}
