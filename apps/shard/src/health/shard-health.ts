/** What this shard tells of itself: to the cluster, and to Prometheus. */
import { Injectable } from '@nestjs/common';
import { ReadFigures, Registry } from '@ringleader/observability';
import { Health, Membership } from '@ringleader/service-host';
import { ShardConfig } from '../shard.config.js';
import { ShardService } from '../partitions/shard.service.js';

/** What the cluster is told of this shard: whether it is ready, its ordinal, its load. */
@Injectable()
export class ShardHealthService {
  constructor(health: Health, membership: Membership, shard: ShardService, config: ShardConfig) {
    health.readyWhen(() => shard.notReadyReasons());
    health.readyWhen(() => (membership.isRegistered ? [] : ['the shard is not in the service registry']));
    membership.measure({
      inFlight: () => shard.requests.inFlight,
      requestsTotal: () => shard.requests.total,
    });
    membership.update({ state: 'starting', leaseMs: config.RINGLEADER_LEASE_MS });
    // A process that has lost its database lives, and nobody is to count on it.
    shard.onServing((ordinal) =>
      membership.update(ordinal === null ? { state: 'starting' } : { ordinal, state: 'serving' }),
    );
  }
}

@Injectable()
export class ShardMetrics {
  constructor(registry: Registry, shard: ShardService) {
    const figures = new ReadFigures(registry, 'ringleader_shard_');
    const { activity, dataPath, clock } = shard;
    const nothing = { peerFrames: 0, requestFrames: 0 };
    const counts = (): typeof nothing => shard.router?.counts ?? nothing;
    figures.gauge('partitions_led', 'Partitions that this shard leads', () => shard.partitionsLed);
    // Of what has moved away a promise is left.
    const held = (): number => shard.status().filter(({ role }) => role !== 'removed').length;
    figures.gauge('partitions', 'Partitions of which this shard has a replica', held);
    const unreadable = 'Partitions whose newest map entry this version cannot read';
    figures.gauge('unreadable_partitions', unreadable, () => shard.unreadablePartitions);
    const others = 'Records of its registration, limits and verifications that this version cannot read';
    figures.gauge('unreadable_records', others, () => shard.unreadableRecords);
    figures.gauge('requests_in_flight', 'Requests taken and not answered', () => shard.requests.inFlight);
    figures.counter('requests_total', 'Requests taken', () => shard.requests.total);
    figures.counter('transactions_total', 'Transactions committed', () => activity.transactions);
    figures.counter('rows_written_total', 'Rows written', () => activity.rowsWritten);
    figures.counter('records_written_total', 'Partition records written', () => activity.recordsWritten);
    const failures = 'Lives of the core that a failure of the database has ended';
    figures.counter('storage_failures_total', failures, () => activity.storageFailures);
    figures.counter('frames_dropped_total', 'Frames not sent for want of NATS', () => dataPath.dropped);
    figures.counter('peer_frames_total', 'Frames received from other shards', () => counts().peerFrames);
    figures.counter('request_frames_total', 'Frames received from gateways', () => counts().requestFrames);
    figures.counter('clock_refused_total', 'Hybrid times too far ahead to be merged', () => clock.refused);
    figures.counter('tombstones_purged_total', 'Tombstones purged', () => activity.tombstonesPurged);
    figures.gauge('tombstones', 'Tombstones known of', () => shard.purging()?.tombstones ?? 0);
    const lag = 'Revisions by which the purge point is behind, in the partition led where it is most';
    figures.gauge('purge_lag_revisions', lag, () => shard.purging()?.lagRevisions ?? 0);
    const looked = 'Partitions not looked through for tombstones yet';
    figures.gauge('partitions_to_look_through', looked, () => shard.purging()?.lookedForIn ?? 0);
    const events = {
      name: 'partition_events_total',
      help: 'Elections won and lost, repairs, copies',
      label: 'kind',
    };
    figures.countersBy(events, () => activity.events);
  }
}
