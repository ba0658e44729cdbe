/** Lists over all shards: the merged scan with the store behind it, within a deadline. */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError, REST_LIMITS } from '@ringleader/contracts';
import type { KeyRange, Row } from '@ringleader/paxos';
import type { MonotonicMs, ShardOrdinal } from '@ringleader/primitives';
import { MergedScan } from '../routing/merged-scan.js';
import type { ScanPage, ScanSource } from '../routing/merged-scan.js';
import { backOffMs, DEFAULT_RETRY_TIMINGS } from '../routing/retry-policy.js';
import type { ScanCommand } from '../routing/targets.js';
import type { KeyValueStore } from './key-value-store.js';

/** A page that takes longer is asked of whoever leads by then. */
const PAGE_TIMEOUT_MS = 2_000;
const PAGE_ROWS_MAX = 2_000;
const PAGE_BYTES = 524_288;

export interface ListScanOptions {
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  /** How many rows will be wanted at most; null is all. */
  readonly rowsWanted: number | null;
  /** For a whole list, or for each page of an endless one. */
  readonly timeoutMs: number;
}

class StoreScanSource implements ScanSource {
  deadline: MonotonicMs;
  /** The last page that was answered was refused, since its shard did not lead: a page cut off by the deadline says nothing. */
  private isRefused = false;

  constructor(
    private readonly store: KeyValueStore,
    private readonly monotonicMs: () => MonotonicMs,
    timeoutMs: number,
  ) {
    this.deadline = monotonicMs() + timeoutMs;
  }

  plan(): ReturnType<KeyValueStore['leadersOfAll']> {
    return this.store.leadersOfAll(this.monotonicMs());
  }

  async page(shard: ShardOrdinal, command: ScanCommand): Promise<ScanPage> {
    const deadline = Math.min(this.deadline, this.monotonicMs() + PAGE_TIMEOUT_MS);
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

  async beforeNextPlan(attempt: number): Promise<void> {
    const pauseMs = backOffMs(DEFAULT_RETRY_TIMINGS, attempt, Math.random());
    if (this.monotonicMs() + pauseMs >= this.deadline) throw this.lateError();
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

export class ListScan {
  private readonly source: StoreScanSource;
  private readonly scan: MergedScan;

  constructor(
    store: KeyValueStore,
    private readonly monotonicMs: () => MonotonicMs,
    private readonly options: ListScanOptions,
  ) {
    const { range, reverse, keysOnly, rowsWanted } = options;
    this.source = new StoreScanSource(store, monotonicMs, options.timeoutMs);
    const pageRows = Math.min(rowsWanted ?? PAGE_ROWS_MAX, PAGE_ROWS_MAX);
    const readsAhead = rowsWanted === null;
    this.scan = new MergedScan(this.source, {
      range,
      reverse,
      keysOnly,
      pageRows,
      pageBytes: PAGE_BYTES,
      readsAhead,
    });
  }

  get servedBy(): ReadonlySet<ShardOrdinal> {
    return this.scan.servedBy;
  }

  /** As many rows as were asked for and fit into a page, and whether the list goes on behind them. */
  async page(limit: number): Promise<{ rows: readonly Row[]; more: boolean }> {
    const rows: Row[] = [];
    let bytes = 0;
    while (rows.length < limit && bytes < REST_LIMITS.pageValueBytesMax) {
      const row = await this.scan.next();
      if (row === null) return { rows, more: false };
      rows.push(row);
      bytes += row.value?.length ?? 0;
    }
    return { rows, more: (await this.scan.next()) !== null };
  }

  /** All rows, as they are taken; each may take as long as the whole list may otherwise. */
  async *all(): AsyncGenerator<Row, void> {
    for (;;) {
      this.source.deadline = this.monotonicMs() + this.options.timeoutMs;
      const row = await this.scan.next();
      if (row === null) return;
      yield row;
    }
  }
}
