import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from '@ringleader/observability';
import { ShardService } from '../partitions/shard.service.js';

/** Figures that exist anyway: they are read when Prometheus asks for them, and cost nothing in between. */
@Injectable()
export class ShardMetrics {
  constructor(
    private readonly registry: Registry,
    shard: ShardService,
  ) {
    const { activity, dataPath, clock } = shard;
    const nothing = { malformed: 0, misattributed: 0, peerFrames: 0, requestFrames: 0 };
    const counts = (): typeof nothing => shard.router?.counts ?? nothing;
    this.gauge('partitions_led', 'Partitions that this shard leads', () => shard.partitionsLed);
    this.gauge('partitions', 'Partitions of which this shard has a replica', () => shard.status().length);
    this.gauge('requests_in_flight', 'Requests taken and not answered', () => shard.requests.inFlight);
    this.counter('requests_total', 'Requests taken', () => shard.requests.total);
    this.counter('transactions_total', 'Transactions committed', () => activity.transactions);
    this.counter('rows_written_total', 'Rows written', () => activity.rowsWritten);
    this.counter('records_written_total', 'Partition records written', () => activity.recordsWritten);
    const failures = 'Lives of the core that a failure of the database has ended';
    this.counter('storage_failures_total', failures, () => activity.storageFailures);
    this.counter('frames_dropped_total', 'Frames not sent for want of NATS', () => dataPath.dropped);
    const malformed = 'Frames received and dropped for their shape';
    this.counter('frames_malformed_total', malformed, () => counts().malformed);
    const misattributed = 'Frames received and dropped because they claim to be of another sender';
    this.counter('frames_misattributed_total', misattributed, () => counts().misattributed);
    this.counter('peer_frames_total', 'Frames received from other shards', () => counts().peerFrames);
    this.counter('request_frames_total', 'Frames received from gateways', () => counts().requestFrames);
    this.counter('clock_refused_total', 'Hybrid times too far ahead to be merged', () => clock.refused);
    this.countEvents(shard);
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `ringleader_shard_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  private counter(name: string, help: string, read: () => number): void {
    new Counter({
      name: `ringleader_shard_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  private countEvents({ activity }: ShardService): void {
    new Counter({
      name: 'ringleader_shard_partition_events_total',
      help: 'Elections won and lost, repairs, copies',
      labelNames: ['kind'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [kind, count] of activity.events) this.inc({ kind }, count);
      },
    });
  }
}
