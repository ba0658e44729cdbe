import { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import {
  OperationalError,
  PARTITIONS_PREFIX,
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_ELAPSED_KEY,
  SHARDS_PREFIX,
  type PartitionEntry,
  clusterSchema,
  memberKey,
  moveKey,
  moveSchema,
  partitionEntrySchema,
  partitionKey,
  placementControlSchema,
  placementElapsedSchema,
  prefixRange,
  verdictKey,
} from '@ringleader/contracts';
import type { TxnCommand } from '@ringleader/mvcc';
import { Registry, createLogger } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { coordinatorConfigSchema } from '../coordinator.config.js';
import { putMetadata, readMetadata } from '../store/metadata.js';
import { hasPartitionMap, readCluster } from './first-map.js';
import { PlacementMetrics } from './placement-metrics.js';
import { PlacementService } from './placement.service.js';

const WAIT = { timeoutMs: 10_000, everyMs: 5 };
const ORDINALS = 65_536;

describe('PlacementService', () => {
  let group: GroupOfOne;
  let clock: ManualClock;
  let placement: PlacementService;
  const others: PlacementService[] = [];

  const newService = (partitions = 16): PlacementService => {
    const config = loadConfig(coordinatorConfigSchema, {
      RINGLEADER_MEMBER: 'c-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_DATA_DIR: '/data',
      RINGLEADER_PARTITION_COUNT: String(partitions),
      RINGLEADER_INITIAL_SHARDS: '3',
      RINGLEADER_REPLACE_AFTER_MS: '60000',
    });
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    const service = new PlacementService(config, group.store, clock, logger);
    others.push(service);
    return service;
  };

  beforeEach(() => {
    group = new GroupOfOne();
    clock = new ManualClock();
    clock.now = 1_000_000_000;
    placement = newService();
  });

  afterEach(() => {
    for (const service of others.splice(0)) service.beforeApplicationShutdown();
  });

  const put = (key: string, value: object): Promise<unknown> => {
    const command: TxnCommand = {
      kind: 'txn',
      compare: [],
      success: [putMetadata(key, value)],
      failure: [],
    };
    return group.store.propose(command);
  };
  const register = (ordinal: number, shardId = `shard-${ordinal}`): Promise<unknown> =>
    put(`${SHARDS_PREFIX}${shardId}`, {
      ...{ shardId, ordinal, zone: '', weight: 1, incarnation: 1, systemIdentifier: '1', timeline: 1 },
      walPosition: '0/1',
    });
  const serve = (ordinal: number, id = `shard-${ordinal}`): Promise<unknown> =>
    put(memberKey('shard', id), {
      ...{ service: 'shard', id, address: '', version: '0', instance: 'i', ordinal, state: 'serving' },
      startedAt: new Date(0).toISOString(),
    });
  const judge = (id: string, verdict: 'alive' | 'suspect' | 'down'): Promise<unknown> =>
    put(verdictKey('shard', id), {
      ...{ service: 'shard', id, instance: 'i', verdict, votes: [] },
      since: new Date(clock.wallMs()).toISOString(),
    });
  const end = (key: string): Promise<unknown> => {
    const success = [{ kind: 'delete', key, rangeEnd: null, wantsPrevious: false } as const];
    return group.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  };
  const readRecord = <Schema extends z.ZodType>(key: string, schema: Schema): z.infer<Schema> =>
    readMetadata(group.store.local, { key, rangeEnd: null }, schema)[0]!.value;
  const clusterExists = (): boolean => readCluster(group.store.local) !== null;
  const mapExists = (): boolean => hasPartitionMap(group.store.local);
  const map = (): PartitionEntry[] =>
    readMetadata(group.store.local, prefixRange(PARTITIONS_PREFIX), partitionEntrySchema).map(
      ({ value }) => value,
    );
  const shardNamed = (name: string) => placement.overview().shards.find(({ shard }) => shard === name);

  /** As the leaders of partitions would: each learner has caught up, each joint epoch is ready. */
  function reportAll(service = placement): void {
    for (const { partition, epoch, nextReplicas, learners } of map()) {
      const leader = (nextReplicas ?? [1]).find((ordinal) => ordinal !== 2 && ordinal < 5)!;
      if (nextReplicas === null && learners.length === 0) continue;
      const learnersDone = learners.map((ordinal) => {
        return { ordinal, caughtUp: true, bytesDone: 1_000, bytesTotal: 1_000 };
      });
      const report = { partition, epoch, ballot: ORDINALS + leader, ready: nextReplicas !== null };
      service.report(`shard-${leader}`, leader, { reports: [{ ...report, learners: learnersDone }] });
    }
  }
  const isQuiet = (): boolean => {
    const { moves, leaderChanges } = placement.overview().plan;
    return moves.length === 0 && leaderChanges === 0;
  };

  async function startWithShards(count: number): Promise<void> {
    placement.onApplicationBootstrap();
    for (let ordinal = 1; ordinal <= count; ordinal++) {
      await register(ordinal);
      await serve(ordinal);
    }
    await until('the map', mapExists, WAIT);
    await until('the places', () => placement.overview().shards.length === count, WAIT);
  }

  /** Moves go on as they are reported. The loop's timers do not go by this clock: a verdict wakes it. */
  async function settle(): Promise<void> {
    await until(
      'all moves to end',
      () => {
        reportAll();
        clock.now += 1_000;
        void judge('shard-1', 'alive');
        return isQuiet();
      },
      WAIT,
    );
  }

  it('creates the cluster once, and the map once enough shards have registered', async () => {
    placement.onApplicationBootstrap();
    await until('the cluster', clusterExists, WAIT);
    await register(1);
    await register(2);
    expect(mapExists()).toBe(false);
    await register(3);
    await until('the map', mapExists, WAIT);
    expect(map()[15]).toMatchObject({ partition: 15, epoch: 1, learners: [] });
    expect(clusterSchema.parse(readCluster(group.store.local)?.value)).toMatchObject({ initialShards: 3 });
    await until('the places', () => placement.overview().shards.length === 3, WAIT);
    await register(4);
    await until('the place', () => shardNamed('shard-4')?.state === 'joining', WAIT);
    expect(map().every(({ epoch }) => epoch === 1)).toBe(true);
  });

  it('does nothing while it does not lead', async () => {
    group.lead({ term: 1, leader: 2, leading: false });
    placement.onApplicationBootstrap();
    await register(1);
    expect(clusterExists()).toBe(false);
    expect(() => placement.overview()).toThrow('Placement is decided by the leader');
    group.lead({ term: 2, leader: 1, leading: true });
    await until('the cluster', clusterExists, WAIT);
  });

  it.each(['unavailable', 'outcomeUnknown'] as const)(
    'tries again what was not confirmed: %s',
    async (failure) => {
      group.failures.push(failure);
      placement.onApplicationBootstrap();
      await until('the cluster', clusterExists, WAIT);
    },
  );

  it('moves partitions to a shard that joins, away from one that drains, and forgets one that is removed', async () => {
    await startWithShards(3);
    await register(4);
    await serve(4);
    await until('a move', () => map().some(({ learners }) => learners.includes(4)), WAIT);
    const { plan } = placement.overview();
    expect(plan.moves[0]).toMatchObject({ add: 'shard-4', phase: 'learn', reason: 'balance' });
    expect(plan.moves[0]?.waitsFor).toBe('shard-4 to have copied the partition');
    const entry = map().find(({ learners }) => learners.length > 0)!;
    const stored = { key: moveKey(entry.partition), rangeEnd: null };
    expect(readMetadata(group.store.local, stored, moveSchema)).toHaveLength(1);
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);

    const { epoch } = placement.overview().plan;
    await expect(placement.change({ kind: 'drain', shard: 'shard-4' }, epoch + 1)).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await expect(placement.change({ kind: 'remove', shard: 'shard-4' }, epoch)).rejects.toMatchObject({
      code: 'SHARD_HOLDS_DATA',
    });
    expect(await placement.change({ kind: 'drain', shard: 'shard-4' }, epoch)).toBe(epoch + 1);
    await settle();
    await until('it to be drained', () => shardNamed('shard-4')?.state === 'drained', WAIT);
    await placement.change({ kind: 'remove', shard: 'shard-4' }, undefined);
    expect(shardNamed('shard-4')).toBeUndefined();
    await expect(placement.change({ kind: 'drain', shard: 'shard-4' }, undefined)).rejects.toMatchObject({
      code: 'SHARD_NOT_FOUND',
    });
    await expect(placement.change({ kind: 'drain', shard: 'shard-1' }, undefined)).rejects.toMatchObject({
      code: 'REPLICATION_AT_RISK',
    });
  });

  it('shows what commands would come to, and does nothing', async () => {
    await startWithShards(4);
    await settle();
    const { revision } = group.store.local;
    const { shards, plan } = placement.imagine([{ kind: 'drain', shard: 'shard-2' }, { kind: 'pause' }]);
    expect(shards.find(({ shard }) => shard === 'shard-2')).toMatchObject({ state: 'draining' });
    expect(plan).toMatchObject({ paused: true, movesTotal: shardNamed('shard-2')?.replicas });
    expect(plan.moves[0]).toMatchObject({
      remove: 'shard-2',
      reason: 'drain',
      waitsFor: 'placement is paused',
    });
    expect(() => placement.imagine([{ kind: 'resume' }])).toThrow('Placement is not paused');
    expect(group.store.local.revision).toBe(revision);
    expect(isQuiet()).toBe(true);
  });

  it('goes on from the store where another leader stopped', async () => {
    await startWithShards(3);
    await register(4);
    await serve(4);
    await until('a move', () => map().some(({ learners }) => learners.length > 0), WAIT);
    placement.beforeApplicationShutdown();
    placement = newService();
    placement.onApplicationBootstrap();
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);
  });

  it('holds all moves while it is paused, and takes them back when they are cancelled', async () => {
    await startWithShards(3);
    await register(4);
    await serve(4);
    for (const leader of [1, 2, 3])
      placement.report(`shard-${leader}`, leader, { reports: [], quietMs: null });
    await until('moves', () => map().filter(({ learners }) => learners.length > 0).length === 4, WAIT);
    await placement.change({ kind: 'pause' }, undefined);
    const before = JSON.stringify(map());
    reportAll();
    await put('/other', {});
    expect(JSON.stringify(map())).toBe(before);
    await expect(placement.change({ kind: 'pause' }, undefined)).rejects.toMatchObject({
      code: 'ALREADY_SO',
    });
    await placement.change({ kind: 'cancel' }, undefined);
    await until('no move', () => map().every(({ learners }) => learners.length === 0), WAIT);
    expect(placement.overview().plan).toMatchObject({ paused: true });
    await expect(placement.change({ kind: 'cancel' }, undefined)).rejects.toMatchObject({
      code: 'NOTHING_TO_CANCEL',
    });
    await placement.change({ kind: 'resume' }, undefined);
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);
  });

  it('keeps whose pause it is, also for the leader after it', async () => {
    await startWithShards(3);
    await placement.change({ kind: 'pause', by: 'operator' }, undefined);
    await settle();
    expect(placement.overview().plan).toMatchObject({ paused: true, pausedBy: 'operator' });
    placement.beforeApplicationShutdown();
    placement = newService();
    placement.onApplicationBootstrap();
    await settle();
    expect(placement.overview().plan).toMatchObject({ paused: true, pausedBy: 'operator' });
    await placement.change({ kind: 'resume', by: 'operator' }, undefined);
    expect(placement.overview().plan).toMatchObject({ paused: false });
    expect(placement.overview().plan.pausedBy).toBeUndefined();
  });

  it('gives a shard up that is down for too long, and takes it in as a new one', async () => {
    await startWithShards(4);
    await settle();
    await judge('shard-2', 'down');
    await until('the verdict', () => shardNamed('shard-2')?.verdict === 'down', WAIT);
    await end(memberKey('shard', 'shard-2'));
    expect(shardNamed('shard-2')?.state).toBe('active');
    clock.now += 60_000;
    await judge('shard-3', 'alive');
    await until('it to be given up', () => shardNamed('shard-2')?.state === 'replaced', WAIT);
    await settle();
    expect(map().every(({ replicas }) => !replicas.includes(2))).toBe(true);
    await judge('shard-2', 'alive');
    await register(5, 'shard-2');
    await serve(5, 'shard-2');
    await until('it to take part', () => shardNamed('shard-2')?.state === 'active', WAIT);
    expect(shardNamed('shard-2')?.ordinal).toBe(5);
    await settle();
    expect(shardNamed('shard-2')?.replicas).toBeGreaterThanOrEqual(11);
  });

  it.each([
    ['the clock of who made the verdict was behind', -3_600_000, 0],
    ['its own clock leaps ahead', 0, 3_600_000],
  ])('gives up no shard too early where %s', async (_, atVerdictMs, afterwardsMs) => {
    await startWithShards(4);
    await settle();
    clock.aheadMs = atVerdictMs;
    await judge('shard-2', 'down');
    await until('the verdict', () => shardNamed('shard-2')?.verdict === 'down', WAIT);
    await end(memberKey('shard', 'shard-2'));
    clock.aheadMs = afterwardsMs;
    const { looksTotal } = placement.log;
    clock.now += 59_000;
    await judge('shard-3', 'suspect');
    await until('another look', () => placement.log.looksTotal > looksTotal, WAIT);
    expect(shardNamed('shard-2')?.state).toBe('active');
    clock.now += 1_000;
    await judge('shard-3', 'alive');
    await until('it to be given up', () => shardNamed('shard-2')?.state === 'replaced', WAIT);
  });

  it('goes on counting where the leader before has left off', async () => {
    await startWithShards(4);
    await settle();
    await judge('shard-2', 'down');
    await until('the verdict', () => shardNamed('shard-2')?.verdict === 'down', WAIT);
    await end(memberKey('shard', 'shard-2'));
    clock.now += 30_000;
    await judge('shard-3', 'suspect');
    const written = (): number =>
      readMetadata(group.store.local, { key: PLACEMENT_ELAPSED_KEY, rangeEnd: null }, placementElapsedSchema)
        .flatMap(({ value }) => Object.values(value))
        .reduce((most, other) => Math.max(most, other), 0);
    await until('it to be written down', () => written() === 30_000, WAIT);
    placement.beforeApplicationShutdown();
    clock.aheadMs = -3_600_000;
    placement = newService();
    placement.onApplicationBootstrap();
    await until('the places', () => shardNamed('shard-2')?.state === 'active', WAIT);
    clock.now += 30_000;
    await judge('shard-3', 'alive');
    await until('it to be given up', () => shardNamed('shard-2')?.state === 'replaced', WAIT);
  });

  it('gives up no shard that comes back while that is being written', async () => {
    await startWithShards(4);
    await settle();
    await judge('shard-2', 'down');
    await until('the verdict', () => shardNamed('shard-2')?.verdict === 'down', WAIT);
    await end(memberKey('shard', 'shard-2'));
    clock.now += 60_000;
    const propose = group.propose.bind(group);
    let isBack = false;
    group.propose = async (command) => {
      if (!isBack && Buffer.from(command).includes('"replaced"')) {
        isBack = true;
        await serve(2);
      }
      return propose(command);
    };
    await judge('shard-3', 'alive');
    await until('it to be back', () => isBack, WAIT);
    await settle();
    expect(shardNamed('shard-2')).toMatchObject({ ordinal: 2, state: 'active' });
  });

  it('decides only when something has changed that it goes by, and passes over what it cannot read', async () => {
    await startWithShards(3);
    await until('rest', isQuiet, WAIT);
    await put('/others', {});
    const { looksTotal } = placement.log;
    await put(`${SHARDS_PREFIX}shard-1`, {
      ...{ shardId: 'shard-1', ordinal: 1, zone: '', weight: 1, incarnation: 2, systemIdentifier: '1' },
      ...{ timeline: 1, walPosition: '0/99' },
    });
    await put('/others', {});
    await put(`${SHARDS_PREFIX}shard-9`, { shardId: 'shard-9' });
    expect(placement.log.looksTotal).toBe(looksTotal);
    await register(9);
    await until('the place', () => shardNamed('shard-9')?.state === 'joining', WAIT);
    expect(placement.log.looksTotal).toBeGreaterThan(looksTotal);
  });

  it('decides nothing while an entry of the map cannot be read, nor does who leads next', async () => {
    await startWithShards(3);
    await until('rest', isQuiet, WAIT);
    const [entry] = map();
    await put(partitionKey(0), { ...entry, epoch: entry!.epoch + 1, replicas: 'of another version' });
    const stands = async (): Promise<void> => {
      await until('it to stand still', () => placement.log.isBlocked, WAIT);
      const { epoch } = readRecord(PLACEMENT_CONTROL_KEY, placementControlSchema);
      await register(4);
      await serve(4);
      await expect(placement.change({ kind: 'drain', shard: 'shard-1' }, undefined)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      expect(readRecord(PLACEMENT_CONTROL_KEY, placementControlSchema).epoch).toBe(epoch);
    };
    await stands();
    placement.beforeApplicationShutdown();
    placement = newService();
    placement.onApplicationBootstrap();
    await stands();
    await put(partitionKey(0), { ...entry, epoch: entry!.epoch + 1 });
    await until('it to go on', () => !placement.log.isBlocked, WAIT);
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);
  });

  it('counts what it does', async () => {
    const registry = new Registry();
    const metrics = new PlacementMetrics(registry, placement);
    expect(metrics).toBeDefined();
    await startWithShards(3);
    await register(4);
    await serve(4);
    const partial = (): ReturnType<typeof map> => map().filter(({ learners }) => learners.length > 0);
    await until('a copy', () => partial().length > 0, WAIT);
    const [{ partition, epoch }] = partial() as [PartitionEntry];
    const learners = [{ ordinal: 4, caughtUp: false, bytesDone: 400, bytesTotal: 1_000 }];
    const reports = [{ partition, epoch, ballot: ORDINALS + 1, ready: false, learners }];
    placement.report('shard-1', 1, { reports });
    await until('what is left', () => placement.bytesLeft > 0, WAIT);
    const during = await registry.metrics();
    expect(during).toContain(`placement_bytes_left ${placement.bytesLeft}\n`);
    const [first] = map() as [PartitionEntry];
    await put(partitionKey(0), { ...first, epoch: first.epoch + 1, replicas: 'of another version' });
    await until('it to stand still', () => placement.log.isBlocked, WAIT);
    expect(await registry.metrics()).toContain('placement_bytes_left 0\n');
    await put(partitionKey(0), { ...first, epoch: first.epoch + 1 });
    await settle();
    const text = await registry.metrics();
    const value = (name: string): number => {
      const line = text
        .split('\n')
        .find((each) => each.startsWith(`ringleader_coordinator_placement_${name} `));
      return Number(line?.split(' ')[1]);
    };
    expect(value('steps_total{kind="settle"}')).toBe(value('steps_total{kind="learn"}'));
    expect(value('steps_total{kind="settle"}')).toBeGreaterThanOrEqual(11);
    expect(value('copied_bytes_total')).toBe(1_000 * value('steps_total{kind="learn"}'));
    expect(value('partitions')).toBe(map().length);
    expect([value('blocked'), value('moves_under_way'), value('copies_wanted')]).toEqual([0, 0, 0]);
    expect(value('bytes_left')).toBe(0);
  });

  describe('recovers partitions', () => {
    const PARTITIONS = 512;
    const lost = ['shard-2', 'shard-3'];
    const record = (partitions: readonly { readonly partition: number }[]) => {
      const success = [putMetadata(`/record/${partitions[0]!.partition}`, partitions)];
      return { compare: [], success };
    };
    beforeEach(async () => {
      placement = newService(PARTITIONS);
      await startWithShards(3);
      for (const id of lost) {
        await judge(id, 'down');
        await end(memberKey('shard', id));
      }
    });
    /** `before` comes before the so manyth transaction of the recovery, which is the last of them if it throws. */
    const interpose = (number: number, before: () => Promise<unknown>): void => {
      const { store } = group;
      const propose = store.propose.bind(store);
      let proposed = 0;
      store.propose = async (command) => {
        proposed += 1;
        if (proposed === number) {
          store.propose = propose;
          await before();
        }
        return propose(command);
      };
    };

    it('in as many transactions as it takes, and first only says what it would do', async () => {
      const { plan } = placement.overview();
      const planned = placement.imagineRecovery(lost, plan.epoch);
      expect(planned.partitions).toHaveLength(PARTITIONS);
      expect(map().every(({ recovery }) => recovery === undefined)).toBe(true);
      const done = await placement.recover(lost, plan.epoch, record);
      expect(done.partitions).toEqual(planned.partitions);
      expect(done.failure).toBeUndefined();
      expect([planned.epoch, done.epoch]).toEqual([plan.epoch, plan.epoch + 2]);
      expect(readMetadata(group.store.local, prefixRange('/record/'), z.array(z.unknown()))).toHaveLength(2);
      for (const { replicas, recovery } of map()) {
        expect([replicas, recovery]).toEqual([[1], { times: 1, epoch: 2, kept: [1], lost: [2, 3] }]);
      }
      expect(planned.partitions[0]!.lost.map(planned.nameOf)).toEqual(lost);
    });

    it('but not where one has come back meanwhile', async () => {
      interpose(1, () => serve(2));
      await expect(placement.recover(lost, undefined, record)).rejects.toMatchObject({
        code: 'SHARD_NOT_DOWN',
      });
      expect(map().every(({ recovery }) => recovery === undefined)).toBe(true);
    });

    it('and says what is done where the rest failed', async () => {
      interpose(2, () => Promise.reject(new OperationalError('UNAVAILABLE', 'No majority')));
      const { partitions, failure } = await placement.recover(lost, undefined, record);
      expect([partitions.length, failure?.code]).toEqual([256, 'UNAVAILABLE']);
      expect(map().filter(({ recovery }) => recovery !== undefined)).toHaveLength(256);
      const rest = await placement.recover(lost, undefined, record);
      expect(rest.partitions).toHaveLength(PARTITIONS - 256);
      await expect(placement.recover(lost, undefined, record)).rejects.toMatchObject({
        code: 'NOTHING_TO_RECOVER',
      });
    });
  });

  it('hears only what a shard says of itself', async () => {
    await startWithShards(3);
    expect(() => placement.report('shard-1', 2, { reports: [] })).toThrow('registered with ordinal 1, not 2');
  });

  it('does not propose the same again and again where the store refuses', async () => {
    await startWithShards(3);
    const stop = group.store.onChange(() => {
      group.failures.push(...Array<'unavailable'>(50).fill('unavailable'));
      stop();
    });
    await register(4);
    await until('the first failure', () => group.failures.length === 49, WAIT);
    for (let epoch = 1; epoch <= 20; epoch++) {
      const report = { partition: 0, epoch, ballot: ORDINALS + 1, ready: true, learners: [] };
      placement.report('shard-1', 1, { reports: [report] });
      await Promise.resolve();
    }
    expect(group.failures).toHaveLength(49);
    group.failures.length = 0;
    await until('the place', () => shardNamed('shard-4')?.state === 'joining', WAIT);
  });
});
