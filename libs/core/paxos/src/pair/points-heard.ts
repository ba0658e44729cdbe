/**
 * What other shards have told of the commit points of the partitions that they lead, and since when each vouches for all
 * of it (docs/PROTOCOL.md 4.2.5, 4.5.3). Kept whatever this shard knows of the partition: the rows, or the map, may come
 * later than the commit point.
 */
import type { Incarnation, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { CommitPoint, CommitPoints } from '../messages.js';
import type { LeaseRules } from '../rules/lease-rules.js';

interface Teller {
  /** The teller's; its numbers begin anew with each. */
  incarnation: Incarnation;
  heard: number;
  /** How many messages in a row said less than was heard. */
  late: number;
  points: Map<PartitionIndex, CommitPoint>;
  /** This shard's own sending time that the last stamp echoes: every point that is fresh was, at least, then. */
  freshAt: number | null;
}

/** So many late messages in a row, and the teller is asked to tell everything again. */
const LATE_MAX = 3;

/** A point is about to be replaced or forgotten, which was vouched for until then. */
export type Outdated = (point: CommitPoint, freshAt: number) => void;

export class PointsHeard {
  private readonly tellers = new Map<ShardOrdinal, Teller>();

  constructor(
    private readonly rules: LeaseRules,
    private readonly incarnation: Incarnation,
  ) {}

  /** How far this shard has heard, for the teller's present incarnation. */
  heard(teller: ShardOrdinal, incarnation: Incarnation): number {
    const known = this.tellers.get(teller);
    return known !== undefined && known.incarnation === incarnation ? known.heard : 0;
  }

  pointOf(teller: ShardOrdinal, partition: PartitionIndex): CommitPoint | undefined {
    return this.tellers.get(teller)?.points.get(partition);
  }

  freshAt(teller: ShardOrdinal): number | null {
    return this.tellers.get(teller)?.freshAt ?? null;
  }

  /** Gives the points that are news. `believed` is the teller's incarnation, as its heartbeats say. */
  take(
    from: ShardOrdinal,
    message: CommitPoints,
    believed: Incarnation,
    outdated: Outdated,
  ): readonly CommitPoint[] {
    const teller = this.tellerOf(from, message.incarnation, believed, outdated);
    if (teller === null) return [];
    const isNews = this.isNews(teller, message);
    if (isNews) replace(teller, message, outdated);
    const { upTo, points, stamp } = message;
    const counts = stamp?.echoIncarnation === this.incarnation && this.rules.stampCounts(teller.heard, upTo);
    if (counts) teller.freshAt = Math.max(teller.freshAt ?? stamp.echo, stamp.echo);
    this.forgetWhatWasNeverSaid(teller, upTo, outdated);
    return isNews ? points : [];
  }

  private isNews({ heard }: Teller, { after, upTo }: CommitPoints): boolean {
    return upTo > heard && (heard >= after || this.rules.stampCounts(heard, upTo));
  }

  /** Null for an incarnation that is gone. */
  private tellerOf(
    from: ShardOrdinal,
    incarnation: Incarnation,
    believed: Incarnation,
    outdated: Outdated,
  ): Teller | null {
    const known = this.tellers.get(from);
    if (known?.incarnation === incarnation) return known;
    if (known !== undefined && known.incarnation > incarnation && incarnation !== believed) return null;
    if (known !== undefined) endStamp(known, outdated);
    const teller: Teller = { incarnation, heard: 0, late: 0, points: new Map(), freshAt: null };
    this.tellers.set(from, teller);
    return teller;
  }

  /**
   * A message comes late now and then; when all do, what was heard before them was never said, and would drown them. It
   * may have been said for all that, and be told again in an earlier state, for which the last stamp was not.
   */
  private forgetWhatWasNeverSaid(teller: Teller, upTo: number, outdated: Outdated): void {
    teller.late = upTo < teller.heard ? teller.late + 1 : 0;
    if (teller.late < LATE_MAX) return;
    if (!this.rules.stampOutlivesForgetting()) endStamp(teller, outdated);
    teller.late = 0;
    teller.heard = 0;
  }
}

/** What it vouched for is proven; nothing that is heard from here on is vouched for by it. */
function endStamp(teller: Teller, outdated: Outdated): void {
  const { freshAt } = teller;
  if (freshAt === null) return;
  for (const point of teller.points.values()) outdated(point, freshAt);
  teller.freshAt = null;
}

function replace(teller: Teller, { points, upTo }: CommitPoints, outdated: Outdated): void {
  for (const point of points) {
    const before = teller.points.get(point.partition);
    if (before !== undefined && teller.freshAt !== null) outdated(before, teller.freshAt);
    teller.points.set(point.partition, point);
  }
  teller.heard = upTo;
}
