/** What happens in this shard, counted: read by the metrics when Prometheus asks, and by the heartbeat. */
import { Injectable } from '@nestjs/common';
import { Histogram, Registry } from '@ringleader/observability';
import type { PaxosEvent, StorageTransaction } from '@ringleader/paxos';
import type { ConnectionPurpose } from '../storage/shard-database.js';

/** From a commit in memory to a disk that hangs. */
const COMMIT_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 4];
const MS_PER_SECOND = 1_000;

@Injectable()
export class ShardActivity {
  readonly events = new Map<PaxosEvent['kind'], number>();
  transactions = 0;
  rowsWritten = 0;
  recordsWritten = 0;
  /** Lives of the core that ended with a failure of the storage. */
  storageFailures = 0;
  private readonly commitSeconds: Histogram;
  private readonly roundTripSeconds: Histogram<'connection'>;

  constructor(registry: Registry) {
    this.commitSeconds = new Histogram({
      name: 'ringleader_shard_commit_seconds',
      help: 'How long the database took to make a transaction durable',
      buckets: COMMIT_SECONDS,
      registers: [registry],
    });
    this.roundTripSeconds = new Histogram({
      name: 'ringleader_shard_postgres_round_trip_seconds',
      help: 'How long PostgreSQL took for a statement, by what the connection is for',
      labelNames: ['connection'],
      buckets: COMMIT_SECONDS,
      registers: [registry],
    });
  }

  readonly countRoundTrip = (connection: ConnectionPurpose, durationMs: number): void =>
    this.roundTripSeconds.observe({ connection }, durationMs / MS_PER_SECOND);

  countEvent({ kind }: PaxosEvent): void {
    this.events.set(kind, (this.events.get(kind) ?? 0) + 1);
  }

  countTransaction({ upserts, records }: StorageTransaction, durationMs: number): void {
    this.transactions += 1;
    this.rowsWritten += upserts.length;
    this.recordsWritten += records.length;
    this.commitSeconds.observe(durationMs / MS_PER_SECOND);
  }
}
