import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import {
  createClusterCommand,
  firstMapCommand,
  hasPartitionMap,
  readCluster,
  readShards,
} from './first-map.js';

const RETRY_MS = 500;

/**
 * The placement loop (docs/PROTOCOL.md 6), on the leader. It gives the cluster its id, and once enough shards have
 * registered its first partition map. Each step is one transaction on the condition that it was not done before, so a
 * leader that is none any more, or a step done twice, changes nothing.
 */
@Injectable()
export class PlacementService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #isLeading = false;
  #isRunning = false;
  /** Something may have changed since the running step looked. */
  #isDirty = false;
  #isComplete = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(
    private readonly config: CoordinatorConfig,
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.store.onChange(() => this.#look());
    this.store.onLeadership(({ leading }) => {
      this.#isLeading = leading;
      this.#isComplete = false;
      this.#look();
    });
  }

  beforeApplicationShutdown(): void {
    this.#isLeading = false;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
  }

  #look(): void {
    this.#isDirty = true;
    if (!this.#isRunning && this.#isLeading && !this.#isComplete) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#isDirty && this.#isLeading && !this.#isComplete) {
        this.#isDirty = false;
        await this.#step();
      }
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.warn({ error }, 'A placement step was not confirmed');
      this.#retry = setTimeout(() => this.#look(), RETRY_MS);
    } finally {
      this.#isRunning = false;
    }
  }

  async #step(): Promise<void> {
    const record = readCluster(this.store.local);
    if (record === null) return this.#createCluster();
    if (hasPartitionMap(this.store.local)) {
      this.#isComplete = true;
      return this.#compareWithConfiguration(record.value.partitionCount);
    }
    const shards = readShards(this.store.local);
    if (shards.length < this.config.RINGLEADER_INITIAL_SHARDS) return;
    const command = firstMapCommand(record, shards);
    if (command === null) return;
    const result = await this.store.propose(command);
    if (result.kind !== 'txn' || !result.succeeded) return;
    const { partitionCount, replicationFactor } = record.value;
    this.logger.info(
      { partitionCount, replicationFactor, shards: shards.length },
      'Made the first partition map',
    );
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
    const configured = this.config.RINGLEADER_PARTITION_COUNT;
    if (configured === partitionCount) return;
    this.logger.warn(
      { partitionCount, configured },
      'The configured number of partitions is not that of this cluster',
    );
  }
}
