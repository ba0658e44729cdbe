/**
 * Whom to ask: who leads which partition, as far as this gateway knows, what is known of the shards, and the routes that
 * come of both. Pure: readings of the clock are arguments.
 *
 * Leaders announce themselves once their barrier is committed, and again every few hundred milliseconds; whoever is asked
 * and does not lead may hint at a higher ballot, which says who stood for election, not who won. So a hint is followed at
 * once, but for a short while only: if nothing confirms it, the announced leader is asked again.
 *
 * Nothing that is believed here outlives its source: a ballot which nobody announces any more, or a hint whose time is
 * over, holds up no other, however high it is. A leader announces itself again and again; a falsehood does not.
 */
import type { Asked } from '@ringleader/balancer';
import type { Leadership, PartitionEntry } from '@ringleader/contracts';
import type { Ballot, Epoch, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { ReplicaPicker } from './replica-picker.js';

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

const LEADER_TABLE_TIMINGS: LeaderTableTimings = { hintMs: 1_000, announcementMs: 3_000 };

interface Entry {
  announced: Route | null;
  /** Whoever announced it does not serve at that ballot any more, and said so itself. */
  isRefused: boolean;
  announcedAt: MonotonicMs;
  hinted: Route | null;
  hintedAt: MonotonicMs;
  /** Nobody who leads at an earlier one leads what the partition is now. */
  epochMin: Epoch;
}

/** round x 65536 + ordinal (docs/PROTOCOL.md 4.0). */
const ORDINALS = 65_536;

export class LeaderTable {
  private readonly entries: Entry[] = [];

  constructor(private readonly timings: LeaderTableTimings = LEADER_TABLE_TIMINGS) {}

  /** What `speaker` says of itself. True when the route changed. */
  announce(speaker: ShardOrdinal, { partition, epoch, ballot }: Leadership, now: MonotonicMs): boolean {
    // A ballot belongs to who stood for it: nobody announces another's.
    if (ballot % ORDINALS !== speaker) return false;
    const entry = this.entry(partition);
    if (epoch < entry.epochMin || ballot < this.announcedBallot(entry, now)) return false;
    const isNews = ballot !== entry.announced?.ballot;
    entry.announcedAt = now;
    const wasRefused = entry.isRefused;
    entry.isRefused = false;
    if (!isNews) return wasRefused;
    entry.announced = { shard: speaker, ballot, epoch };
    if (ballot >= this.hintedBallot(entry, now)) entry.hinted = null;
    return true;
  }

  /** docs/PROTOCOL.md 6.8: who led it before may go on leading what was given up, at a higher ballot, where it cannot hear of that. */
  recovered(partition: PartitionIndex, epoch: Epoch): void {
    const entry = this.entry(partition);
    entry.epochMin = epoch;
    if ((entry.announced?.epoch ?? epoch) < epoch) entry.announced = null;
    if ((entry.hinted?.epoch ?? epoch) < epoch) entry.hinted = null;
  }

  /** True when the hint is news. */
  hint(partition: PartitionIndex, hint: Route, now: MonotonicMs): boolean {
    if (hint.ballot === 0) return false;
    const entry = this.entry(partition);
    if (hint.epoch < entry.epochMin) return false;
    const known = Math.max(this.announcedBallot(entry, now), this.hintedBallot(entry, now));
    if (hint.ballot <= known || hint.ballot === entry.hinted?.ballot) return false;
    entry.hinted = { ...hint, shard: hint.shard === 0 ? hint.ballot % ORDINALS : hint.shard };
    entry.hintedAt = now;
    return true;
  }

  /**
   * A request that went to this route came back: who announced it does not lead any more. True when that is news, so that
   * others are asked from now on, until somebody announces itself.
   */
  refused(partition: PartitionIndex, { shard, ballot }: Pick<Route, 'shard' | 'ballot'>): boolean {
    const entry = this.entries[partition];
    const announced = entry?.announced ?? null;
    if (entry === undefined || announced === null || entry.isRefused) return false;
    if (announced.shard !== shard || announced.ballot !== ballot) return false;
    entry.isRefused = true;
    return true;
  }

  /** Who said that it does not lead it any more, and nobody has announced anything since; null otherwise. */
  refuser(partition: PartitionIndex): ShardOrdinal | null {
    const entry = this.entries[partition];
    return entry?.isRefused === true ? (entry.announced?.shard ?? null) : null;
  }

  route(partition: PartitionIndex, now: MonotonicMs): Route | null {
    const entry = this.entries[partition];
    if (entry === undefined) return null;
    const { announced, hinted, isRefused } = entry;
    if (announced === null) return hinted;
    if (this.hintedBallot(entry, now) > 0) return hinted;
    return isRefused ? null : announced;
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
    const entry: Entry = {
      ...{ announced: null, isRefused: false, announcedAt: 0, hinted: null, hintedAt: 0, epochMin: 0 },
    };
    this.entries[partition] = entry;
    return entry;
  }
}

/** The partition map as the coordinator has it; empty before there is one. */
export interface PartitionMapView {
  readonly partitionCount: number;
  /** Not of a partition whose entry could never be read. */
  readonly entries: readonly PartitionEntry[];
  entry(partition: PartitionIndex): PartitionEntry | undefined;
}

export interface RoutingTableOptions {
  readonly leaders: LeaderTable;
  readonly map: PartitionMapView;
  readonly replicas: ReplicaPicker;
}

/** Out of the leader table, the partition map and the balancer. */
export class RoutingTable {
  private probes = 0;

  constructor(private readonly options: RoutingTableOptions) {}

  /** Null when nobody can be asked at present. */
  leader(partition: PartitionIndex, now: MonotonicMs): Route | null {
    return this.options.leaders.route(partition, now) ?? this.probe(partition);
  }

  /** As far as is known: who is only asked because nobody is known to lead does not count. */
  isLedByAnother(partition: PartitionIndex, than: ShardOrdinal, now: MonotonicMs): boolean {
    const route = this.options.leaders.route(partition, now);
    return route !== null && route.shard !== than;
  }

  /** A replica for a stale read, other than those passed over; null when there is none. */
  replica(partition: PartitionIndex, passedOver: readonly ShardOrdinal[], asked: Asked): Route | null {
    const entry = this.options.map.entry(partition);
    if (entry === undefined) return null;
    const others = entry.replicas.filter((shard) => !passedOver.includes(shard));
    const picked = this.options.replicas.pick(others, asked);
    return picked === undefined ? null : stranger(picked, entry.epoch);
  }

  /** With no leader known, its replicas are asked in turn, from the preferred leader on. */
  private probe(partition: PartitionIndex): Route | null {
    const entry = this.options.map.entry(partition);
    if (entry === undefined) return null;
    const { preferredLeader, epoch } = entry;
    const refuser = this.options.leaders.refuser(partition);
    const others = entry.replicas.filter((shard) => shard !== refuser);
    const replicas = others.length > 0 ? others : entry.replicas;
    const first = Math.max(0, replicas.indexOf(preferredLeader));
    const shard = replicas[(first + this.probes++) % replicas.length] ?? preferredLeader;
    return stranger(shard, epoch);
  }
}

function stranger(shard: ShardOrdinal, epoch: Epoch): Route {
  return { shard, ballot: 0, epoch };
}
