/** What happens in this shard, counted: read by the metrics when Prometheus asks, and by the heartbeat. */
import type { PaxosEvent, StorageTransaction } from '@ringleader/paxos';

/** Upper bounds of the classes of a transaction's duration. */
const DURATION_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 250, 1_000, Number.POSITIVE_INFINITY] as const;

export class ShardActivity {
  readonly events = new Map<PaxosEvent['kind'], number>();
  /** How many transactions took at most so long, by class. */
  readonly durationCounts: number[] = DURATION_BOUNDS_MS.map(() => 0);
  transactions = 0;
  transactionMs = 0;
  rowsWritten = 0;
  recordsWritten = 0;
  /** Lives of the core that ended with a failure of the storage. */
  storageFailures = 0;

  countEvent({ kind }: PaxosEvent): void {
    this.events.set(kind, (this.events.get(kind) ?? 0) + 1);
  }

  countTransaction({ upserts, records }: StorageTransaction, durationMs: number): void {
    this.transactions += 1;
    this.transactionMs += durationMs;
    this.rowsWritten += upserts.length;
    this.recordsWritten += records.length;
    const place = DURATION_BOUNDS_MS.findIndex((bound) => durationMs <= bound);
    this.durationCounts[place] = (this.durationCounts[place] ?? 0) + 1;
  }

  /** Of transactions that took at most `boundMs`, per bound, cumulative. */
  *durationClasses(): Generator<{ readonly boundMs: number; readonly count: number }> {
    let count = 0;
    for (const [place, boundMs] of DURATION_BOUNDS_MS.entries()) {
      count += this.durationCounts[place] ?? 0;
      yield { boundMs, count };
    }
  }
}
