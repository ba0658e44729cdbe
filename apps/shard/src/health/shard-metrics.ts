import { Counter, Gauge, type Registry } from '@ringleader/observability';
import type { ShardService } from '../partitions/shard.service.js';

/** Figures that exist anyway: they are read when Prometheus asks for them, and cost nothing in between. */
export function registerShardMetrics(registry: Registry, shard: ShardService): void {
  gauge(registry, 'partitions_led', 'Partitions that this shard leads', () => shard.partitionsLed);
  gauge(registry, 'partitions', 'Partitions of which this shard has a replica', () => shard.status().length);
  gauge(registry, 'requests_in_flight', 'Requests taken and not answered', () => shard.requests.inFlight);
  counter(registry, 'requests_total', 'Requests taken', () => shard.requests.total);
  counter(registry, 'transactions_total', 'Transactions committed', () => shard.activity.transactions);
  counter(registry, 'rows_written_total', 'Rows written', () => shard.activity.rowsWritten);
  counter(
    registry,
    'records_written_total',
    'Partition records written',
    () => shard.activity.recordsWritten,
  );
  counter(
    registry,
    'storage_failures_total',
    'Lives of the core that a failure of the database has ended',
    () => shard.activity.storageFailures,
  );
  counter(registry, 'frames_dropped_total', 'Frames not sent for want of NATS', () => shard.dataPath.dropped);
  counter(
    registry,
    'frames_malformed_total',
    'Frames received and dropped for their shape',
    () => shard.router?.counts.malformed ?? 0,
  );
  counter(
    registry,
    'peer_frames_total',
    'Frames received from other shards',
    () => shard.router?.counts.peerFrames ?? 0,
  );
  counter(
    registry,
    'request_frames_total',
    'Frames received from gateways',
    () => shard.router?.counts.requestFrames ?? 0,
  );
  counter(
    registry,
    'clock_refused_total',
    'Hybrid times too far ahead to be merged',
    () => shard.clock.refused,
  );
  registerTransactionSeconds(registry, shard);
  registerEvents(registry, shard);
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name: `ringleader_shard_${name}`,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

function counter(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name: `ringleader_shard_${name}`,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function registerTransactionSeconds(registry: Registry, { activity }: ShardService): void {
  new Gauge({
    name: 'ringleader_shard_transactions_by_seconds',
    help: 'Transactions that took at most so long (cumulative)',
    labelNames: ['le'],
    registers: [registry],
    collect() {
      for (const { boundMs, count } of activity.durationClasses()) {
        this.set({ le: Number.isFinite(boundMs) ? String(boundMs / 1_000) : '+Inf' }, count);
      }
    },
  });
}

function registerEvents(registry: Registry, { activity }: ShardService): void {
  new Counter({
    name: 'ringleader_shard_partition_events_total',
    help: 'Elections won and lost, repairs, copies',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, count] of activity.events) this.inc({ kind }, count);
    },
  });
}
