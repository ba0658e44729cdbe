/**
 * One ordered list out of what the shards hold. Each shard gives the rows of the partitions it leads in pages, in byte
 * order; they are merged here, never more than two pages of each shard in memory.
 *
 * The position is one key: everything up to it was given. When leadership moves while the list is under way, the partitions
 * whose shard did not lead all of them are fetched anew behind that key from whoever leads them now, so nothing is skipped or
 * given twice. What the others gave stays: while replicas are moved, there is hardly a moment at which all lead at once.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError, REST_LIMITS, keyAfter } from '@ringleader/contracts';
import type { KeyRange, Row } from '@ringleader/paxos';
import { compareKeys } from '@ringleader/primitives';
import type { Clock, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { DEFAULT_RETRY_TIMINGS, backOffMs } from '../routing/attempts.js';
import type { ScanCommand } from '../routing/targets.js';
import type { KeyValueStore } from './key-value-store.js';

/** A page that takes longer is asked of whoever leads by then. */
const PAGE_TIMEOUT_MS = 2_000;
const PAGE_ROWS_MAX = 2_000;
const PAGE_BYTES = 524_288;
/** Of which each is asked for pages of its own: of more, all are laid anew. */
const LANES_MAX = 64;

export interface ListScanOptions {
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  /** How many rows will be wanted at most; null is all. */
  readonly rowsWanted: number | null;
  /** For a whole list, or for each page of an endless one. */
  readonly timeoutMs: number;
}

/** What is left of a range behind `last`, in the direction of the list. */
export function rangeBehind(range: KeyRange, last: string, reverse: boolean): KeyRange {
  return reverse ? { start: range.start, end: last } : { start: keyAfter(last), end: range.end };
}

type ScanPage =
  | { readonly kind: 'rows'; readonly rows: readonly Row[]; readonly more: boolean }
  /** The shard does not lead all of the partitions any more, or does not answer. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'failed'; readonly error: OperationalError };

/** The shards as the store reaches them, within a deadline. */
class ScanSource {
  deadline: MonotonicMs;
  /** The last page that was answered was refused, since its shard did not lead: a page cut off by the deadline says nothing. */
  private isRefused = false;

  constructor(
    private readonly store: KeyValueStore,
    private readonly clock: Clock,
    timeoutMs: number,
  ) {
    this.deadline = clock.monotonicMs() + timeoutMs;
  }

  /** All partitions by their leaders; null while one of them has none. */
  plan(): ReturnType<KeyValueStore['leadersOfAll']> {
    return this.store.leadersOfAll(this.clock.monotonicMs());
  }

  async page(shard: ShardOrdinal, command: ScanCommand): Promise<ScanPage> {
    const deadline = Math.min(this.deadline, this.clock.monotonicMs() + PAGE_TIMEOUT_MS);
    const outcome = await this.store.scanPage(shard, command, deadline);
    if (outcome.kind === 'failed') {
      if (outcome.code === 'UNAVAILABLE') this.isRefused = true;
      if (outcome.code !== 'OVERLOADED') return { kind: 'moved' };
      return {
        kind: 'failed',
        error: new OperationalError('OVERLOADED', 'Too much is in flight to list keys'),
      };
    }
    const { reply } = outcome;
    this.isRefused = reply.kind !== 'rows' || reply.notLed.length > 0;
    if (reply.kind !== 'rows' || reply.notLed.length > 0) return { kind: 'moved' };
    return reply;
  }

  /** Waits until it makes sense to plan again; throws when the time is up. */
  async beforeNextPlan(attempt: number): Promise<void> {
    const pauseMs = backOffMs(DEFAULT_RETRY_TIMINGS, attempt, Math.random());
    if (this.clock.monotonicMs() + pauseMs >= this.deadline) throw this.lateError();
    await pause(pauseMs);
  }

  private lateError(): OperationalError {
    if (this.isRefused || this.plan() === null) {
      return new OperationalError(
        'UNAVAILABLE',
        'A part of the keys has no leader at present, so they cannot be listed',
      );
    }
    return new OperationalError('DEADLINE_EXCEEDED', 'The list was not complete when its time was up');
  }
}

interface Lane {
  readonly shard: ShardOrdinal;
  readonly partitions: readonly PartitionIndex[];
  rows: readonly Row[];
  next: number;
  more: boolean;
  ahead: Promise<ScanPage> | null;
}

function laneOf(shard: ShardOrdinal, partitions: readonly PartitionIndex[]): Lane {
  return { shard, partitions, rows: [], next: 0, more: true, ahead: null };
}

export class ListScan {
  private readonly source: ScanSource;
  private readonly pageRows: number;
  /** Whether the next page of a shard is fetched while the present one is taken. */
  private readonly readsAhead: boolean;
  private lanes: Lane[] | null = null;
  private remaining: KeyRange;
  private replans = 0;
  readonly servedBy = new Set<ShardOrdinal>();

  constructor(
    store: KeyValueStore,
    private readonly clock: Clock,
    private readonly options: ListScanOptions,
  ) {
    const { range, rowsWanted, timeoutMs } = options;
    this.source = new ScanSource(store, clock, timeoutMs);
    this.pageRows = Math.min(rowsWanted ?? PAGE_ROWS_MAX, PAGE_ROWS_MAX);
    this.readsAhead = rowsWanted === null;
    this.remaining = range;
  }

  /** As many rows as were asked for and fit into a page, and whether the list goes on behind them. */
  async page(limit: number): Promise<{ rows: readonly Row[]; more: boolean }> {
    const rows: Row[] = [];
    let bytes = 0;
    while (rows.length < limit && bytes < REST_LIMITS.pageValueBytesMax) {
      const row = await this.next();
      if (row === null) return { rows, more: false };
      rows.push(row);
      bytes += row.value?.length ?? 0;
    }
    return { rows, more: (await this.next()) !== null };
  }

  /** All rows, as they are taken; each may take as long as the whole list may otherwise. */
  async *all(): AsyncGenerator<Row, void> {
    for (;;) {
      this.source.deadline = this.clock.monotonicMs() + this.options.timeoutMs;
      const row = await this.next();
      if (row === null) return;
      yield row;
    }
  }

  /** The next row; null at the end. */
  private async next(): Promise<Row | null> {
    for (;;) {
      const lanes = this.lanes ?? (await this.plan());
      if (lanes === null) continue;
      if (!(await this.fill(lanes))) continue;
      const lane = this.first(lanes);
      if (lane === null) return null;
      const row = lane.rows[lane.next] as Row;
      lane.next += 1;
      this.remaining = rangeBehind(this.remaining, row.key, this.options.reverse);
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
    this.lanes = [...plan].map(([shard, partitions]) => laneOf(shard, partitions));
    return this.lanes;
  }

  /** True when every lane has a row at hand or has come to its end. */
  private async fill(lanes: readonly Lane[]): Promise<boolean> {
    const empty = lanes.filter(({ rows, next, more }) => more && next === rows.length);
    if (empty.length === 0) return true;
    const fetched = await Promise.all(empty.map((lane) => this.fetch(lane)));
    const refused = empty.filter((_lane, index) => fetched[index] === false);
    if (refused.length === 0) return this.fill(lanes);
    if (refused.length < empty.length) this.replans = 0;
    await this.source.beforeNextPlan(++this.replans);
    this.lanes = this.laidAnew(lanes, refused);
    return false;
  }

  /** These have given all that they had, so that who leads their partitions now goes on from the position. */
  private laidAnew(lanes: readonly Lane[], refused: readonly Lane[]): Lane[] | null {
    const plan = this.source.plan();
    if (plan === null) return [...lanes];
    const wanted = new Set(refused.flatMap(({ partitions }) => partitions));
    const anew = [...plan]
      .map(([shard, led]) =>
        laneOf(
          shard,
          led.filter((partition) => wanted.has(partition)),
        ),
      )
      .filter(({ partitions }) => partitions.length > 0);
    const all = [...lanes.filter((lane) => !refused.includes(lane)), ...anew];
    return all.length > LANES_MAX ? null : all;
  }

  private async fetch(lane: Lane): Promise<boolean> {
    const page = await (lane.ahead ?? this.pageOf(lane));
    lane.ahead = null;
    if (page.kind === 'failed') throw page.error;
    // A page without rows that claims to have more would be asked for for ever.
    if (page.kind === 'moved' || (page.more && page.rows.length === 0)) return false;
    lane.rows = page.rows;
    lane.next = 0;
    lane.more = page.more;
    if (this.readsAhead && lane.more) lane.ahead = this.pageOf(lane);
    this.servedBy.add(lane.shard);
    return true;
  }

  private pageOf(lane: Lane): Promise<ScanPage> {
    const { range: whole, reverse, keysOnly } = this.options;
    const last = lane.rows.at(-1);
    const range = last === undefined ? this.remaining : rangeBehind(whole, last.key, reverse);
    return this.source.page(lane.shard, {
      partitions: lane.partitions,
      range,
      reverse,
      keysOnly,
      limitRows: this.pageRows,
      limitBytes: PAGE_BYTES,
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
    return this.options.reverse ? order > 0 : order < 0;
  }
}
