/**
 * Which of the partitions that this shard leads are compared when, and how far the one at hand has come
 * (docs/PROTOCOL.md 4.13). One at a time, range after range, at a pace that leaves room for everything else.
 */
import type { PartitionIndex, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { Row } from '../records.js';
import type { VerificationPace, VerificationRun, VerifiedPartition } from '../ready.js';
import type { Difference, Found, RangeView } from './compare.js';

/** How often it is looked whether a partition is due, while none is at hand. */
const LOOK_MS = 1_000;
const MS_PER_SECOND = 1_000;
/** Parts of the golden ratio and of the root of two spread what begins together. */
const SPREAD = { partition: 0.618_033_988_75, incarnation: 0.414_213_562_37 };
/** On demand and without a pace of its own. */
const BYTES_PER_SECOND = 8 * 1024 * 1024;

export interface RangeAnswer extends RangeView {
  readonly end: string | null;
  readonly digest: string;
}

/** A partition under comparison, by one leadership. */
export interface Session {
  readonly replica: Replica;
  readonly leader: Leader;
  readonly run: string | null;
  /** Peers that still answer. */
  takers: readonly ShardOrdinal[];
  complete: boolean;
  phase: 'reading' | 'ranges' | 'rows' | 'mending';
  /** Its own rows are being read. */
  isReading: boolean;
  round: number;
  tries: number;
  start: string;
  end: string | null;
  upTo: Revision;
  own: RangeView;
  /** Of the rows of the range. */
  bytes: number;
  readonly answers: Map<ShardOrdinal, RangeAnswer>;
  differences: Difference[];
  /** What answer of whom is waited for in `mending`. */
  awaited: { readonly from: ShardOrdinal; readonly resolve: (answer: MendAnswer | null) => void } | null;
  rows: number;
  differed: number;
  mended: number;
}

export type MendAnswer =
  | { readonly kind: 'told'; readonly digest: Found; readonly row: Row | null }
  | { readonly kind: 'mended'; readonly done: boolean };

export class Verifier {
  nextAt: number;
  current: Session | null = null;
  private lastRound = 0;
  private run: string | null = null;
  private readonly done = new Map<PartitionIndex, VerifiedPartition>();
  private readonly dueAt = new Map<PartitionIndex, number>();

  constructor(
    private readonly pace: VerificationPace | null,
    private readonly incarnation: number,
    startedAt: number,
  ) {
    this.nextAt = pace === null ? Number.POSITIVE_INFINITY : startedAt + LOOK_MS;
  }

  /** Compares every partition that is led here, once, for this run; null: none any more. */
  begin(run: string | null, now: number): void {
    if (run === this.run) return;
    this.run = run;
    this.done.clear();
    this.nextAt = Math.min(this.nextAt, now);
  }

  results(): VerificationRun {
    return { run: this.run, partitions: [...this.done.values()] };
  }

  nextRound(): number {
    return ++this.lastRound;
  }

  /** The next to compare, of those that lead; null: `nextAt` says when to look again. */
  choose(
    led: Iterable<Replica>,
    now: number,
  ): { readonly replica: Replica; readonly run: string | null } | null {
    const serving = [...led].filter(({ leader }) => leader?.barrierCommitted === true);
    const asked = this.run === null ? undefined : serving.find(({ partition }) => !this.done.has(partition));
    if (asked !== undefined) return { replica: asked, run: this.run };
    const due = this.pace === null ? null : this.longestDue(serving, now);
    if (due !== null) return { replica: due, run: null };
    const looksAgain = this.pace !== null || this.run !== null;
    this.nextAt = looksAgain ? now + LOOK_MS : Number.POSITIVE_INFINITY;
    return null;
  }

  private longestDue(serving: readonly Replica[], now: number): Replica | null {
    let chosen: Replica | null = null;
    let since = now;
    for (const replica of serving) {
      const due = this.dueOf(replica.partition, now);
      if (due > since) continue;
      chosen = replica;
      since = due;
    }
    return chosen;
  }

  finish(session: Session, now: number): VerifiedPartition {
    const { replica, complete, rows, differed, mended } = session;
    const { partition } = replica;
    const verified = { partition, complete, rows, differed, mended };
    if (session.run !== null && session.run === this.run) this.done.set(partition, verified);
    this.dueAt.set(partition, now + (this.pace?.intervalMs ?? 0));
    this.current = null;
    this.nextAt = now;
    return verified;
  }

  /** It begins anew when it is due again, if this shard still leads. */
  abandon(now: number): void {
    const { current } = this;
    this.current = null;
    this.nextAt = now + LOOK_MS;
    current?.awaited?.resolve(null);
  }

  /** How long to leave the others alone after so many bytes. */
  pauseMs(bytes: number, isBusy: boolean): number {
    const ms = (bytes * MS_PER_SECOND) / (this.pace?.bytesPerSecond ?? BYTES_PER_SECOND);
    return isBusy ? 4 * ms : ms;
  }

  /** First at a time of its own: not all at once, and not at the same one after each start. */
  private dueOf(partition: PartitionIndex, now: number): number {
    let due = this.dueAt.get(partition);
    if (due === undefined) {
      const part = (partition * SPREAD.partition + this.incarnation * SPREAD.incarnation) % 1;
      due = now + part * (this.pace?.intervalMs ?? 0);
      this.dueAt.set(partition, due);
    }
    return due;
  }
}
