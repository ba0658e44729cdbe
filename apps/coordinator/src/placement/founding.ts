import { randomUUID } from 'node:crypto';
import type { Clock } from '@ringleader/primitives';
import type { Logger } from '@ringleader/observability';
import type { CoordinatorConfig } from '../coordinator.config.js';
import type { ReplicatedStore } from '../store/replicated-store.service.js';
import { createClusterCommand, firstMapCommand, readCluster, readShards } from './first-map.js';

/** The beginning of a cluster: its id, and once enough shards have registered its first partition map. */
export class Founding {
  #isCompared = false;

  constructor(
    private readonly config: CoordinatorConfig,
    private readonly store: ReplicatedStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Whether the cluster has its map. */
  async step(hasMap: boolean): Promise<boolean> {
    const record = readCluster(this.store.local);
    if (record === null) {
      await this.#createCluster();
      return false;
    }
    if (hasMap) {
      this.#compareWithConfiguration(record.value.partitionCount);
      return true;
    }
    const shards = readShards(this.store.local);
    if (shards.length < this.config.RINGLEADER_INITIAL_SHARDS) return false;
    const command = firstMapCommand(record, shards);
    if (command === null) return false;
    const result = await this.store.propose(command);
    if (result.kind !== 'txn' || !result.succeeded) return false;
    const { partitionCount, replicationFactor } = record.value;
    this.logger.info(
      { partitionCount, replicationFactor, shards: shards.length },
      'Made the first partition map',
    );
    return false;
  }

  async #createCluster(): Promise<void> {
    const { RINGLEADER_CLUSTER, RINGLEADER_PARTITION_COUNT, RINGLEADER_REPLICATION_FACTOR } = this.config;
    const cluster = {
      clusterId: randomUUID(),
      name: RINGLEADER_CLUSTER,
      partitionCount: RINGLEADER_PARTITION_COUNT,
      replicationFactor: RINGLEADER_REPLICATION_FACTOR,
      initialShards: 0,
      createdAt: new Date(this.clock.wallMs()).toISOString(),
    };
    const result = await this.store.propose(createClusterCommand(cluster));
    if (result.kind === 'txn' && result.succeeded) this.logger.info({ cluster }, 'Created the cluster');
  }

  /** The number of partitions is fixed when the cluster is created (§3): another one in the configuration does nothing. */
  #compareWithConfiguration(partitionCount: number): void {
    if (this.#isCompared) return;
    this.#isCompared = true;
    const configured = this.config.RINGLEADER_PARTITION_COUNT;
    if (configured === partitionCount) return;
    this.logger.warn(
      { partitionCount, configured },
      'The configured number of partitions is not that of this cluster',
    );
  }
}
