/**
 * What a leader knows of one follower's log: 0 <= match < next.
 *
 *  - probe: where the follower's log fits is not known: one Append at a time, the next after an answer or a heartbeat's.
 *  - replicate: it fits; Appends are pipelined ahead of their answers, inside the window of `inflights`.
 *  - snapshot: what it needs is no longer in the leader's log: chunks of a snapshot, several in flight.
 */
import type { RaftLimits } from '../config.js';
import type { MemberId, LogIndex, SnapshotPoint } from '../types.js';
import { CatchUp } from './catch-up.js';
import { Inflights } from './inflights.js';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/** The chunks of one snapshot on their way: reported <= next; those between are in flight. */
export interface Transmission {
  readonly point: SnapshotPoint;
  /** The first chunk that the follower lacks, as it said last. */
  reported: number;
  /** The next to be sent. */
  next: number;
  /** One chunk is out, the rest waits for what the follower says of it: it may have most of them already, or nothing any more. */
  isProbing: boolean;
  /** Since the follower last said that it has more. */
  ticks: number;
}

export class Progress {
  readonly member: MemberId;
  readonly inflights: Inflights;
  readonly catchUp: CatchUp;
  state: ProgressState = 'probe';
  match: LogIndex = 0;
  next: LogIndex;
  /** The commit index of the last Append to it. */
  sentCommit: LogIndex = 0;
  /** Since it last answered anything. A new leader gives everybody an election time-out. */
  ticksSinceHeard = 0;
  /** Whether it has answered this leader anything at all. */
  hasAnswered = false;
  /** Since it began to refuse what it is known to have; null while it does not. */
  ticksDenied: number | null = null;
  /** In probe: an Append is out, and neither an answer nor a heartbeat's came since. */
  isProbeOut = false;
  /** An Append is due even if it carries nothing: its refusal shows what was lost. */
  isAppendDue = true;
  /** As it said last: it is sent nothing that needs room. */
  isDiskFull = false;
  /** In snapshot: how far it is sent; null until the shell has provided a snapshot. */
  transmission: Transmission | null = null;

  constructor(member: MemberId, next: LogIndex, limits: RaftLimits) {
    this.member = member;
    this.next = next;
    this.catchUp = new CatchUp(next - 1);
    this.inflights = new Inflights(limits.inFlightAppendsMax, limits.inFlightBytesMax);
  }

  get isPaused(): boolean {
    if (this.isDiskFull) return true;
    if (this.state === 'replicate') return this.inflights.isFull && !this.isAppendDue;
    return this.state === 'snapshot' || this.isProbeOut;
  }

  /** Who is silent for longer is not counted on, and not waited for: it may be gone for good. */
  heardWithin(ticks: number): boolean {
    return this.ticksSinceHeard < ticks;
  }

  becomeProbe(next: LogIndex): void {
    this.#become('probe');
    this.next = Math.max(next, this.match + 1);
    this.isAppendDue = true;
  }
  becomeReplicate(): void {
    this.#become('replicate');
    this.next = this.match + 1;
  }
  becomeSnapshot(): void {
    this.#become('snapshot');
  }

  sent(lastIndex: LogIndex, sizeBytes: number, commit: LogIndex): void {
    this.isAppendDue = false;
    this.sentCommit = commit;
    if (this.state === 'probe') {
      this.isProbeOut = true;
    } else if (lastIndex >= this.next) {
      this.next = lastIndex + 1;
      this.inflights.add(lastIndex, sizeBytes);
    }
  }

  /** The follower has everything up to `index`. False when that is no news. */
  matched(index: LogIndex): boolean {
    const isNews = index > this.match;
    if (index >= this.match) this.ticksDenied = null;
    if (isNews) this.match = index;
    this.next = Math.max(this.next, this.match + 1);
    this.isProbeOut = false;
    this.inflights.freeUpTo(index);
    return isNews;
  }

  /**
   * An Append after `refusedIndex` did not fit. False when that answers something older than what is known since; but who
   * goes on refusing for so many ticks never said that it has it.
   */
  refused(refusedIndex: LogIndex, fittingIndex: LogIndex, deniableTicks: number): boolean {
    if (this.state === 'snapshot') return false;
    if (refusedIndex <= this.match) {
      this.ticksDenied ??= 0;
      if (this.ticksDenied < deniableTicks) return false;
      this.match = Math.max(0, Math.min(refusedIndex - 1, fittingIndex));
      this.ticksDenied = null;
      this.becomeProbe(this.match + 1);
      return true;
    }
    if (this.state === 'replicate') {
      this.becomeProbe(this.match + 1);
      return true;
    }
    if (this.next - 1 !== refusedIndex) return false;
    this.becomeProbe(Math.min(refusedIndex, fittingIndex + 1));
    return true;
  }

  #become(state: ProgressState): void {
    this.state = state;
    this.isProbeOut = false;
    this.transmission = null;
    this.inflights.clear();
  }
}
