/**
 * What this shard tells others of the commit points of the partitions that it leads (docs/PROTOCOL.md 4.2.5): to each
 * only what changed since it said how far it heard, so that what was lost is told again, and an idle pair says nothing
 * but one stamp of freshness for all of it (4.5.3).
 *
 * Changes are numbered per peer. A message says "whoever heard everything up to `after` has, with this, heard everything
 * up to `upTo`"; a peer to whom that does not apply passes it over, and its next answer says where it is.
 */
import type { Incarnation, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { CommitPoint, CommitPoints, FreshStamp } from '../messages.js';
import type { LeaseRules } from '../rules/lease-rules.js';

interface Telling {
  readonly point: CommitPoint;
  readonly number: number;
}

/** Some 60 KB: a frame takes it beside others. */
const POINTS_PER_MESSAGE = 4_096;

class PeerPoints {
  /** The peer's; another one has heard nothing. */
  private incarnation: Incarnation = 0;
  /** When it was sent the beat that its last answer is about. */
  private answeredAt = Number.NEGATIVE_INFINITY;
  /** By partition. */
  private readonly tellings: (Telling | undefined)[] = [];
  /** Of those, what the peer has not said to have heard, in order of number. */
  private unheard = new Map<PartitionIndex, Telling>();
  private last = 0;
  private heard = 0;
  private sent = 0;
  private freshPoints = 0;

  note(point: CommitPoint): void {
    const told = this.tellings[point.partition]?.point;
    if (told === point || (told !== undefined && sameTelling(told, point))) return;
    this.freshPoints += Number(point.fresh) - Number(told?.fresh ?? false);
    this.tell(point);
  }

  again(partition: PartitionIndex): void {
    const point = this.tellings[partition]?.point;
    if (point !== undefined) this.tell(point);
  }

  withdraw(partition: PartitionIndex): void {
    const told = this.tellings[partition]?.point;
    if (told?.fresh === true) this.note({ ...told, fresh: false });
  }

  meet(incarnation: Incarnation): void {
    if (incarnation === this.incarnation) return;
    this.incarnation = incarnation;
    this.answeredAt = Number.NEGATIVE_INFINITY;
    this.sent = 0;
    this.goBackTo(0);
  }

  isOf(incarnation: Incarnation): boolean {
    return incarnation === this.incarnation;
  }

  answered(heard: number, sentAt: number): void {
    if (sentAt < this.answeredAt || heard > this.last) return;
    this.answeredAt = sentAt;
    if (heard < this.heard) this.goBackTo(heard);
    this.heard = heard;
    for (const [partition, { number }] of this.unheard) {
      if (number > heard) return;
      this.unheard.delete(partition);
    }
  }

  messages(rules: LeaseRules, sender: Incarnation, stamp: FreshStamp | null): CommitPoints[] {
    const known = rules.pointsKnown(this.heard, this.sent);
    const messages: CommitPoints[] = [];
    let after = known;
    let points: CommitPoint[] = [];
    const close = (upTo: number, with_: FreshStamp | null): void => {
      messages.push({ kind: 'commitPoints', incarnation: sender, after, upTo, points, stamp: with_ });
      after = upTo;
      points = [];
    };
    for (const { point, number } of this.unheard.values()) {
      if (number <= known) continue;
      points.push(point);
      if (points.length === POINTS_PER_MESSAGE && number < this.last) close(number, null);
    }
    const fresh = this.freshPoints > 0 ? stamp : null;
    if (points.length > 0 || fresh !== null) close(this.last, fresh);
    this.sent = this.last;
    return messages;
  }

  private tell(point: CommitPoint): void {
    this.last += 1;
    const telling: Telling = { point, number: this.last };
    this.tellings[point.partition] = telling;
    this.unheard.delete(point.partition);
    this.unheard.set(point.partition, telling);
  }

  private goBackTo(heard: number): void {
    this.heard = heard;
    const again = this.tellings
      .filter((telling) => telling !== undefined)
      .filter(({ number }) => number > heard);
    again.sort((a, b) => a.number - b.number);
    this.unheard = new Map(again.map((telling) => [telling.point.partition, telling]));
  }
}

export class PointsTold {
  private readonly peers = new Map<ShardOrdinal, PeerPoints>();

  constructor(
    private readonly rules: LeaseRules,
    private readonly incarnation: Incarnation,
  ) {}

  /** At every beat, for each partition led and each of its replicas that is alive; costs nothing where nothing changed. */
  note(peer: ShardOrdinal, point: CommitPoint): void {
    this.pointsOf(peer).note(point);
  }

  /** What the peer has may not be what it was told. */
  again(peer: ShardOrdinal, partition: PartitionIndex): void {
    this.pointsOf(peer).again(partition);
  }

  /** The leadership ended: no further stamp vouches for the partition. */
  withdraw(partition: PartitionIndex): void {
    for (const points of this.peers.values()) points.withdraw(partition);
  }

  /** Whoever has just started has heard nothing. Which incarnation is the present one, its heartbeats say. */
  meet(peer: ShardOrdinal, incarnation: Incarnation): void {
    this.pointsOf(peer).meet(incarnation);
  }

  /** The peer has heard everything up to this number, as of the beat that was sent to it at `sentAt`. */
  answered(peer: ShardOrdinal, answer: { incarnation: Incarnation; heard: number; sentAt: number }): void {
    const points = this.pointsOf(peer);
    if (points.isOf(answer.incarnation)) points.answered(answer.heard, answer.sentAt);
  }

  /** `stamp` is what to vouch with, where there is anything to vouch for. */
  messagesTo(peer: ShardOrdinal, stamp: FreshStamp | null): CommitPoints[] {
    return this.pointsOf(peer).messages(this.rules, this.incarnation, stamp);
  }

  private pointsOf(peer: ShardOrdinal): PeerPoints {
    let points = this.peers.get(peer);
    if (points === undefined) {
      points = new PeerPoints();
      this.peers.set(peer, points);
    }
    return points;
  }
}

function sameTelling(a: CommitPoint, b: CommitPoint): boolean {
  return a.commit === b.commit && a.fresh === b.fresh && a.ballot === b.ballot && a.epoch === b.epoch;
}
