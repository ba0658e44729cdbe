import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { SHARDS_PREFIX, clusterSchema, partitionEntrySchema, partitionKey } from '@ringleader/contracts';
import { plainRead } from '@ringleader/mvcc';
import { createLogger } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { coordinatorConfigSchema } from '../coordinator.config.js';
import { toBytes, toText } from '../store/wire.js';
import { hasPartitionMap, readCluster } from './first-map.js';
import { PlacementService } from './placement.service.js';

const WAIT = { timeoutMs: 5_000, everyMs: 5 };

describe('PlacementService', () => {
  let group: GroupOfOne;
  let placement: PlacementService;

  beforeEach(() => {
    group = new GroupOfOne();
    const config = loadConfig(coordinatorConfigSchema, {
      RINGLEADER_MEMBER: 'c-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_DATA_DIR: '/data',
      RINGLEADER_PARTITION_COUNT: '16',
      RINGLEADER_INITIAL_SHARDS: '3',
    });
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    placement = new PlacementService(config, group.store, new ManualClock(), logger);
  });

  const register = (ordinal: number): Promise<unknown> => {
    const shardId = `shard-${ordinal}`;
    const shard = {
      shardId,
      ordinal,
      zone: '',
      weight: 1,
      incarnation: 1,
      systemIdentifier: '1',
      timeline: 1,
    };
    const value = toBytes(JSON.stringify({ ...shard, walPosition: '0/1' }));
    const key = `${SHARDS_PREFIX}${shardId}`;
    const put = { kind: 'put', key, value, lease: 0, wantsPrevious: false } as const;
    return group.store.propose({ kind: 'txn', compare: [], success: [put], failure: [] });
  };
  const clusterExists = (): boolean => readCluster(group.store.local) !== null;
  const mapExists = (): boolean => hasPartitionMap(group.store.local);

  it('creates the cluster once, and the map once enough shards have registered', async () => {
    placement.onApplicationBootstrap();
    await until('the cluster', clusterExists, WAIT);
    await register(1);
    await register(2);
    expect(mapExists()).toBe(false);
    await register(3);
    await until('the map', mapExists, WAIT);
    const { revision } = group.store.local;
    group.lead({ term: 2, leader: 1, leading: true });
    await register(4);
    expect(group.store.local.revision).toBe(revision + 1);
    const entry = group.store.local.range({ ...plainRead, key: partitionKey(15), rangeEnd: null });
    const value = entry.kind === 'range' && entry.items[0] !== undefined ? toText(entry.items[0].value) : '';
    expect(partitionEntrySchema.parse(JSON.parse(value))).toMatchObject({
      partition: 15,
      epoch: 1,
      learners: [],
    });
    expect(clusterSchema.parse(readCluster(group.store.local)?.value)).toMatchObject({ initialShards: 3 });
  });

  it('does nothing while it does not lead', async () => {
    group.lead({ term: 1, leader: 2, leading: false });
    placement.onApplicationBootstrap();
    await register(1);
    expect(clusterExists()).toBe(false);
    group.lead({ term: 2, leader: 1, leading: true });
    await until('the cluster', clusterExists, WAIT);
  });

  it.each(['unavailable', 'outcomeUnknown'] as const)(
    'tries again what was not confirmed: %s',
    async (failure) => {
      group.failures.push(failure);
      placement.onApplicationBootstrap();
      await until('the cluster', clusterExists, WAIT);
      placement.beforeApplicationShutdown();
    },
  );
});
