/** What happens in this shard, counted: read by the metrics when Prometheus asks, and by the heartbeat. */
import { Injectable } from '@nestjs/common';
import { Histogram, Registry } from '@ringleader/observability';
import type { PaxosEvent, StorageTransaction } from '@ringleader/paxos';
import type { PartitionIndex } from '@ringleader/primitives';
import type { ConnectionPurpose } from '../storage/shard-database.js';

/** From three commits in memory to an election that another shard wins. */
const LEADERLESS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
/** Whom it takes longer has got it back from another leader. */
const LED_BY_ANOTHER_SECONDS = 10;
/** From a commit in memory to a disk that hangs. */
const COMMIT_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 4];
const MS_PER_SECOND = 1_000;

@Injectable()
export class ShardActivity {
  readonly events = new Map<PaxosEvent['kind'], number>();
  transactions = 0;
  rowsWritten = 0;
  recordsWritten = 0;
  tombstonesPurged = 0;
  /** Lives of the core that ended with a failure of the storage. */
  storageFailures = 0;
  private readonly commitSeconds: Histogram;
  private readonly leaderlessSeconds: Histogram;
  /** Partitions whose replicas changed while this shard led them, and when that was. */
  private readonly leaderless = new Map<PartitionIndex, number>();
  private readonly roundTripSeconds: Histogram<'connection'>;

  constructor(registry: Registry) {
    this.commitSeconds = new Histogram({
      name: 'ringleader_shard_commit_seconds',
      help: 'How long the database took to make a transaction durable',
      buckets: COMMIT_SECONDS,
      registers: [registry],
    });
    this.leaderlessSeconds = new Histogram({
      name: 'ringleader_shard_leaderless_seconds',
      help: 'How long a partition that this shard led was without a leader when its entry of the map changed, until this shard led it again',
      buckets: LEADERLESS_SECONDS,
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

  countEvent(event: PaxosEvent): void {
    const { kind } = event;
    this.events.set(kind, (this.events.get(kind) ?? 0) + 1);
    if (kind === 'steppedDown') this.ended(event);
    else if (kind === 'leading') this.leads(event.partition);
  }

  private ended({ partition, reason }: Extract<PaxosEvent, { kind: 'steppedDown' }>): void {
    // Whoever gave it away, or lost it, does not wait for it to come back.
    if (reason === 'epoch') this.leaderless.set(partition, performance.now());
    else this.leaderless.delete(partition);
  }

  private leads(partition: PartitionIndex): void {
    const since = this.leaderless.get(partition);
    if (since === undefined) return;
    this.leaderless.delete(partition);
    const seconds = (performance.now() - since) / MS_PER_SECOND;
    if (seconds < LED_BY_ANOTHER_SECONDS) this.leaderlessSeconds.observe(seconds);
  }

  countTransaction({ upserts, records, removals }: StorageTransaction, durationMs: number): void {
    this.transactions += 1;
    this.rowsWritten += upserts.length;
    this.recordsWritten += records.length;
    for (const { revision } of removals) if (revision !== null) this.tombstonesPurged += 1;
    this.commitSeconds.observe(durationMs / MS_PER_SECOND);
  }
}
