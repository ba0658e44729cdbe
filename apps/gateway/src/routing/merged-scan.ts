/**
 * One ordered list out of what the shards hold. Each shard gives the rows of the partitions it leads in pages, in byte
 * order; they are merged here, never more than two pages of each shard in memory.
 *
 * The position is one key: everything up to it was given. When leadership moves while the list is under way, all pages
 * are thrown away and fetched anew behind that key from whoever leads now, so nothing is skipped or given twice.
 */
import { type OperationalError } from '@ringleader/contracts';
import type { KeyRange, Row } from '@ringleader/paxos';
import { compareKeys } from '@ringleader/primitives';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { rangeBehind } from '../kv/key-selection.js';
import type { ScanCommand } from './targets.js';

export interface ScanQuery {
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  readonly pageRows: number;
  readonly pageBytes: number;
  /** Whether the next page of a shard is fetched while the present one is taken. */
  readonly readsAhead: boolean;
}

export type ScanPage =
  | { readonly kind: 'rows'; readonly rows: readonly Row[]; readonly more: boolean }
  /** The shard does not lead all of the partitions any more, or does not answer. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'failed'; readonly error: OperationalError };

export interface ScanSource {
  /** All partitions by their leaders; null while one of them has none. */
  plan(): ReadonlyMap<ShardOrdinal, readonly PartitionIndex[]> | null;
  page(shard: ShardOrdinal, command: ScanCommand): Promise<ScanPage>;
  /** Waits until it makes sense to plan again; throws when the time is up. */
  beforeNextPlan(attempt: number): Promise<void>;
}

interface Lane {
  readonly shard: ShardOrdinal;
  readonly partitions: readonly PartitionIndex[];
  rows: readonly Row[];
  next: number;
  more: boolean;
  ahead: Promise<ScanPage> | null;
}

export class MergedScan {
  private lanes: Lane[] | null = null;
  private remaining: KeyRange;
  private replans = 0;
  readonly servedBy = new Set<ShardOrdinal>();

  constructor(
    private readonly source: ScanSource,
    private readonly query: ScanQuery,
  ) {
    this.remaining = query.range;
  }

  /** The next row; null at the end. */
  async next(): Promise<Row | null> {
    for (;;) {
      const lanes = this.lanes ?? (await this.plan());
      if (lanes === null) continue;
      if (!(await this.fill(lanes))) continue;
      const lane = this.first(lanes);
      if (lane === null) return null;
      const row = lane.rows[lane.next] as Row;
      lane.next += 1;
      this.remaining = rangeBehind(this.remaining, row.key, this.query.reverse);
      this.replans = 0;
      return row;
    }
  }

  private async plan(): Promise<Lane[] | null> {
    const plan = this.source.plan();
    if (plan === null) {
      await this.source.beforeNextPlan(++this.replans);
      return null;
    }
    this.lanes = [...plan].map(([shard, partitions]) => ({
      shard,
      partitions,
      rows: [],
      next: 0,
      more: true,
      ahead: null,
    }));
    return this.lanes;
  }

  /** True when every lane has a row at hand or has come to its end. */
  private async fill(lanes: readonly Lane[]): Promise<boolean> {
    const empty = lanes.filter(({ rows, next, more }) => more && next === rows.length);
    if (empty.length === 0) return true;
    const pages = await Promise.all(empty.map((lane) => this.fetch(lane)));
    if (!pages.includes(false)) return pages.length > 0 && this.fill(lanes);
    this.lanes = null;
    await this.source.beforeNextPlan(++this.replans);
    return false;
  }

  private async fetch(lane: Lane): Promise<boolean> {
    const page = await (lane.ahead ?? this.page(lane));
    lane.ahead = null;
    if (page.kind === 'failed') throw page.error;
    // A page without rows that claims to have more would be asked for for ever.
    if (page.kind === 'moved' || (page.more && page.rows.length === 0)) return false;
    lane.rows = page.rows;
    lane.next = 0;
    lane.more = page.more;
    if (this.query.readsAhead && lane.more) lane.ahead = this.page(lane);
    this.servedBy.add(lane.shard);
    return true;
  }

  private page(lane: Lane): Promise<ScanPage> {
    const { reverse, keysOnly, pageRows, pageBytes } = this.query;
    const last = lane.rows.at(-1);
    const range = last === undefined ? this.remaining : rangeBehind(this.query.range, last.key, reverse);
    return this.source.page(lane.shard, {
      partitions: lane.partitions,
      range,
      reverse,
      keysOnly,
      limitRows: pageRows,
      limitBytes: pageBytes,
    });
  }

  private first(lanes: readonly Lane[]): Lane | null {
    let first: Lane | null = null;
    for (const lane of lanes) {
      const row = lane.rows[lane.next];
      if (row === undefined) continue;
      const best = first?.rows[first.next];
      if (best === undefined || this.isBefore(row.key, best.key)) first = lane;
    }
    return first;
  }

  private isBefore(a: string, b: string): boolean {
    const order = compareKeys(a, b);
    return this.query.reverse ? order > 0 : order < 0;
  }
}
