/** Placement at the leader of a group of one, with the shards, detectors and leaders of partitions that it goes by. */
import { loadConfig } from '@ringleader/config';
import {
  PARTITIONS_PREFIX,
  SHARDS_PREFIX,
  type PartitionEntry,
  memberKey,
  partitionEntrySchema,
  prefixRange,
  verdictKey,
} from '@ringleader/contracts';
import type { ShardOverview } from '@ringleader/placement';
import { createLogger } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import type { z } from 'zod';
import { coordinatorConfigSchema } from '../src/coordinator.config.js';
import { hasPartitionMap, readCluster } from '../src/placement/first-map.js';
import { PlacementService } from '../src/placement/placement.service.js';
import { putMetadata, readMetadata } from '../src/store/metadata.js';
import { GroupOfOne, ManualClock } from './group-of-one.js';

export const WAIT = { timeoutMs: 10_000, everyMs: 5 };
export const ORDINALS = 65_536;

/** `begin` it before each test. Its methods are fields, so that a suite can name those that it needs. */
export class PlacementWorld {
  private state: { readonly group: GroupOfOne; readonly clock: ManualClock } | null = null;
  private current: PlacementService | null = null;
  private readonly services: PlacementService[] = [];

  begin(): void {
    const clock = new ManualClock();
    clock.now = 1_000_000_000;
    this.state = { group: new GroupOfOne(), clock };
    this.current = this.newService();
  }

  stop(): void {
    for (const service of this.services.splice(0)) service.beforeApplicationShutdown();
  }

  get group(): GroupOfOne {
    return this.state!.group;
  }

  get clock(): ManualClock {
    return this.state!.clock;
  }

  /** That of the present leader. */
  get placement(): PlacementService {
    return this.current!;
  }

  set placement(service: PlacementService) {
    this.current = service;
  }

  readonly newService = (partitions = 16): PlacementService => {
    const config = loadConfig(coordinatorConfigSchema, {
      RINGLEADER_MEMBER: 'c-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_DATA_DIR: '/data',
      RINGLEADER_PARTITION_COUNT: String(partitions),
      RINGLEADER_INITIAL_SHARDS: '3',
      RINGLEADER_REPLACE_AFTER_MS: '60000',
    });
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    const service = new PlacementService(config, this.group.store, this.clock, logger);
    this.services.push(service);
    return service;
  };

  readonly put = (key: string, value: object): Promise<unknown> =>
    this.group.store.propose({ kind: 'txn', compare: [], success: [putMetadata(key, value)], failure: [] });

  readonly register = (ordinal: number, shardId = `shard-${ordinal}`): Promise<unknown> =>
    this.put(`${SHARDS_PREFIX}${shardId}`, {
      ...{ shardId, ordinal, zone: '', weight: 1, incarnation: 1, systemIdentifier: '1', timeline: 1 },
      walPosition: '0/1',
    });

  readonly serve = (ordinal: number, id = `shard-${ordinal}`): Promise<unknown> =>
    this.put(memberKey('shard', id), {
      ...{ service: 'shard', id, address: '', version: '0', instance: 'i', ordinal, state: 'serving' },
      startedAt: new Date(0).toISOString(),
    });

  readonly judge = (id: string, verdict: 'alive' | 'suspect' | 'down'): Promise<unknown> =>
    this.put(verdictKey('shard', id), {
      ...{ service: 'shard', id, instance: 'i', verdict, votes: [] },
      since: new Date(this.clock.wallMs()).toISOString(),
    });

  readonly remove = (key: string): Promise<unknown> => {
    const success = [{ kind: 'delete', key, rangeEnd: null, wantsPrevious: false } as const];
    return this.group.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  };

  readonly readRecord = <Schema extends z.ZodType>(key: string, schema: Schema): z.infer<Schema> =>
    readMetadata(this.group.store.local, { key, rangeEnd: null }, schema)[0]!.value;

  readonly clusterExists = (): boolean => readCluster(this.group.store.local) !== null;
  readonly mapExists = (): boolean => hasPartitionMap(this.group.store.local);

  readonly map = (): PartitionEntry[] =>
    readMetadata(this.group.store.local, prefixRange(PARTITIONS_PREFIX), partitionEntrySchema).map(
      ({ value }) => value,
    );

  readonly shardNamed = (name: string): ShardOverview | undefined =>
    this.placement.overview().shards.find(({ shard }) => shard === name);

  /** As the leaders of partitions would: each learner has caught up, each joint epoch is ready. */
  readonly reportAll = (): void => {
    for (const { partition, epoch, nextReplicas, learners } of this.map()) {
      const leader = (nextReplicas ?? [1]).find((ordinal) => ordinal !== 2 && ordinal < 5)!;
      if (nextReplicas === null && learners.length === 0) continue;
      const learnersDone = learners.map((ordinal) => {
        return { ordinal, caughtUp: true, bytesDone: 1_000, bytesTotal: 1_000 };
      });
      const report = { partition, epoch, ballot: ORDINALS + leader, ready: nextReplicas !== null };
      this.placement.report(`shard-${leader}`, leader, { reports: [{ ...report, learners: learnersDone }] });
    }
  };

  readonly isQuiet = (): boolean => {
    const { moves, leaderChanges } = this.placement.overview().plan;
    return moves.length === 0 && leaderChanges === 0;
  };

  readonly startWithShards = async (count: number): Promise<void> => {
    this.placement.onApplicationBootstrap();
    for (let ordinal = 1; ordinal <= count; ordinal++) {
      await this.register(ordinal);
      await this.serve(ordinal);
    }
    await until('the map', this.mapExists, WAIT);
    await until('the places', () => this.placement.overview().shards.length === count, WAIT);
  };

  /** Moves go on as they are reported. The loop's timers do not go by this clock: a verdict wakes it. */
  readonly settle = async (): Promise<void> => {
    await until(
      'all moves to end',
      () => {
        this.reportAll();
        this.clock.now += 1_000;
        void this.judge('shard-1', 'alive');
        return this.isQuiet();
      },
      WAIT,
    );
  };
}
