import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  PLACEMENT_CONTROL_KEY,
  SHARDS_PREFIX,
  type PartitionEntry,
  clusterSchema,
  moveKey,
  moveSchema,
  partitionKey,
  placementControlSchema,
} from '@ringleader/contracts';
import { Registry } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { ORDINALS, PlacementWorld, WAIT } from '../../test/placement-world.js';
import { readMetadata } from '../store/metadata.js';
import { readCluster } from './first-map.js';
import { PlacementMetrics } from './placement-metrics.js';

describe('PlacementService', () => {
  const world = new PlacementWorld();
  const {
    newService,
    put,
    register,
    serve,
    readRecord,
    clusterExists,
    mapExists,
    map,
    shardNamed,
    reportAll,
    isQuiet,
    startWithShards,
    settle,
  } = world;
  beforeEach(() => world.begin());
  afterEach(() => world.stop());

  it('creates the cluster once, and the map once enough shards have registered', async () => {
    world.placement.onApplicationBootstrap();
    await until('the cluster', clusterExists, WAIT);
    await register(1);
    await register(2);
    expect(mapExists()).toBe(false);
    await register(3);
    await until('the map', mapExists, WAIT);
    expect(map()[15]).toMatchObject({ partition: 15, epoch: 1, learners: [] });
    expect(clusterSchema.parse(readCluster(world.group.store.local)?.value)).toMatchObject({
      initialShards: 3,
    });
    await until('the places', () => world.placement.overview().shards.length === 3, WAIT);
    await register(4);
    await until('the place', () => shardNamed('shard-4')?.state === 'joining', WAIT);
    expect(map().every(({ epoch }) => epoch === 1)).toBe(true);
  });

  it('does nothing while it does not lead', async () => {
    world.group.lead({ term: 1, leader: 2, leading: false });
    world.placement.onApplicationBootstrap();
    await register(1);
    expect(clusterExists()).toBe(false);
    expect(() => world.placement.overview()).toThrow('Placement is decided by the leader');
    world.group.lead({ term: 2, leader: 1, leading: true });
    await until('the cluster', clusterExists, WAIT);
  });

  it.each(['unavailable', 'outcomeUnknown'] as const)(
    'tries again what was not confirmed: %s',
    async (failure) => {
      world.group.failures.push(failure);
      world.placement.onApplicationBootstrap();
      await until('the cluster', clusterExists, WAIT);
    },
  );

  it('moves partitions to a shard that joins, away from one that drains, and forgets one that is removed', async () => {
    await startWithShards(3);
    await register(4);
    await serve(4);
    await until('a move', () => map().some(({ learners }) => learners.includes(4)), WAIT);
    const { plan } = world.placement.overview();
    expect(plan.moves[0]).toMatchObject({ add: 'shard-4', phase: 'learn', reason: 'balance' });
    expect(plan.moves[0]?.waitsFor).toBe('shard-4 to have copied the partition');
    const entry = map().find(({ learners }) => learners.length > 0)!;
    const stored = { key: moveKey(entry.partition), rangeEnd: null };
    expect(readMetadata(world.group.store.local, stored, moveSchema)).toHaveLength(1);
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);

    const { epoch } = world.placement.overview().plan;
    await expect(
      world.placement.change({ kind: 'drain', shard: 'shard-4' }, epoch + 1),
    ).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await expect(world.placement.change({ kind: 'remove', shard: 'shard-4' }, epoch)).rejects.toMatchObject({
      code: 'SHARD_HOLDS_DATA',
    });
    expect(await world.placement.change({ kind: 'drain', shard: 'shard-4' }, epoch)).toBe(epoch + 1);
    await settle();
    await until('it to be drained', () => shardNamed('shard-4')?.state === 'drained', WAIT);
    await world.placement.change({ kind: 'remove', shard: 'shard-4' }, undefined);
    expect(shardNamed('shard-4')).toBeUndefined();
    await expect(
      world.placement.change({ kind: 'drain', shard: 'shard-4' }, undefined),
    ).rejects.toMatchObject({
      code: 'SHARD_NOT_FOUND',
    });
    await expect(
      world.placement.change({ kind: 'drain', shard: 'shard-1' }, undefined),
    ).rejects.toMatchObject({
      code: 'REPLICATION_AT_RISK',
    });
  });

  it('shows what commands would come to, and does nothing', async () => {
    await startWithShards(4);
    await settle();
    const { revision } = world.group.store.local;
    const { shards, plan } = world.placement.imagine([
      { kind: 'drain', shard: 'shard-2' },
      { kind: 'pause' },
    ]);
    expect(shards.find(({ shard }) => shard === 'shard-2')).toMatchObject({ state: 'draining' });
    expect(plan).toMatchObject({ paused: true, movesTotal: shardNamed('shard-2')?.replicas });
    expect(plan.moves[0]).toMatchObject({
      remove: 'shard-2',
      reason: 'drain',
      waitsFor: 'placement is paused',
    });
    expect(() => world.placement.imagine([{ kind: 'resume' }])).toThrow('Placement is not paused');
    expect(world.group.store.local.revision).toBe(revision);
    expect(isQuiet()).toBe(true);
  });

  it('goes on from the store where another leader stopped', async () => {
    await startWithShards(3);
    await register(4);
    await serve(4);
    await until('a move', () => map().some(({ learners }) => learners.length > 0), WAIT);
    world.placement.beforeApplicationShutdown();
    world.placement = newService();
    world.placement.onApplicationBootstrap();
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);
  });

  it('holds all moves while it is paused, and takes them back when they are cancelled', async () => {
    await startWithShards(3);
    await register(4);
    await serve(4);
    for (const leader of [1, 2, 3])
      world.placement.report(`shard-${leader}`, leader, { reports: [], quietMs: null });
    await until('moves', () => map().filter(({ learners }) => learners.length > 0).length === 4, WAIT);
    await world.placement.change({ kind: 'pause' }, undefined);
    const before = JSON.stringify(map());
    reportAll();
    await put('/other', {});
    expect(JSON.stringify(map())).toBe(before);
    await expect(world.placement.change({ kind: 'pause' }, undefined)).rejects.toMatchObject({
      code: 'ALREADY_SO',
    });
    await world.placement.change({ kind: 'cancel' }, undefined);
    await until('no move', () => map().every(({ learners }) => learners.length === 0), WAIT);
    expect(world.placement.overview().plan).toMatchObject({ paused: true });
    await expect(world.placement.change({ kind: 'cancel' }, undefined)).rejects.toMatchObject({
      code: 'NOTHING_TO_CANCEL',
    });
    await world.placement.change({ kind: 'resume' }, undefined);
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);
  });

  it('keeps whose pause it is, also for the leader after it', async () => {
    await startWithShards(3);
    await world.placement.change({ kind: 'pause', by: 'operator' }, undefined);
    await settle();
    expect(world.placement.overview().plan).toMatchObject({ paused: true, pausedBy: 'operator' });
    world.placement.beforeApplicationShutdown();
    world.placement = newService();
    world.placement.onApplicationBootstrap();
    await settle();
    expect(world.placement.overview().plan).toMatchObject({ paused: true, pausedBy: 'operator' });
    await world.placement.change({ kind: 'resume', by: 'operator' }, undefined);
    expect(world.placement.overview().plan).toMatchObject({ paused: false });
    expect(world.placement.overview().plan.pausedBy).toBeUndefined();
  });

  it('decides only when something has changed that it goes by, and passes over what it cannot read', async () => {
    await startWithShards(3);
    await until('rest', isQuiet, WAIT);
    await put('/others', {});
    const { looksTotal } = world.placement.log;
    await put(`${SHARDS_PREFIX}shard-1`, {
      ...{ shardId: 'shard-1', ordinal: 1, zone: '', weight: 1, incarnation: 2, systemIdentifier: '1' },
      ...{ timeline: 1, walPosition: '0/99' },
    });
    await put('/others', {});
    await put(`${SHARDS_PREFIX}shard-9`, { shardId: 'shard-9' });
    expect(world.placement.log.looksTotal).toBe(looksTotal);
    await register(9);
    await until('the place', () => shardNamed('shard-9')?.state === 'joining', WAIT);
    expect(world.placement.log.looksTotal).toBeGreaterThan(looksTotal);
  });

  it('decides nothing while an entry of the map cannot be read, nor does who leads next', async () => {
    await startWithShards(3);
    await until('rest', isQuiet, WAIT);
    const [entry] = map();
    await put(partitionKey(0), { ...entry, epoch: entry!.epoch + 1, replicas: 'of another version' });
    const stands = async (): Promise<void> => {
      await until('it to stand still', () => world.placement.log.isBlocked, WAIT);
      const { epoch } = readRecord(PLACEMENT_CONTROL_KEY, placementControlSchema);
      await register(4);
      await serve(4);
      await expect(
        world.placement.change({ kind: 'drain', shard: 'shard-1' }, undefined),
      ).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      expect(readRecord(PLACEMENT_CONTROL_KEY, placementControlSchema).epoch).toBe(epoch);
    };
    await stands();
    world.placement.beforeApplicationShutdown();
    world.placement = newService();
    world.placement.onApplicationBootstrap();
    await stands();
    await put(partitionKey(0), { ...entry, epoch: entry!.epoch + 1 });
    await until('it to go on', () => !world.placement.log.isBlocked, WAIT);
    await settle();
    expect(shardNamed('shard-4')?.replicas).toBeGreaterThanOrEqual(11);
  });

  it('counts what it does', async () => {
    const registry = new Registry();
    const metrics = new PlacementMetrics(registry, world.placement);
    expect(metrics).toBeDefined();
    await startWithShards(3);
    await register(4);
    await serve(4);
    const partial = (): ReturnType<typeof map> => map().filter(({ learners }) => learners.length > 0);
    await until('a copy', () => partial().length > 0, WAIT);
    const [{ partition, epoch }] = partial() as [PartitionEntry];
    const learners = [{ ordinal: 4, caughtUp: false, bytesDone: 400, bytesTotal: 1_000 }];
    const reports = [{ partition, epoch, ballot: ORDINALS + 1, ready: false, learners }];
    world.placement.report('shard-1', 1, { reports });
    await until('what is left', () => world.placement.bytesLeft > 0, WAIT);
    const during = await registry.metrics();
    expect(during).toContain(`placement_bytes_left ${world.placement.bytesLeft}\n`);
    const [first] = map() as [PartitionEntry];
    await put(partitionKey(0), { ...first, epoch: first.epoch + 1, replicas: 'of another version' });
    await until('it to stand still', () => world.placement.log.isBlocked, WAIT);
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

  it('hears only what a shard says of itself', async () => {
    await startWithShards(3);
    expect(() => world.placement.report('shard-1', 2, { reports: [] })).toThrow(
      'registered with ordinal 1, not 2',
    );
  });

  it('does not propose the same again and again where the store refuses', async () => {
    await startWithShards(3);
    const stop = world.group.store.onChange(() => {
      world.group.failures.push(...Array<'unavailable'>(50).fill('unavailable'));
      stop();
    });
    await register(4);
    await until('the first failure', () => world.group.failures.length === 49, WAIT);
    for (let epoch = 1; epoch <= 20; epoch++) {
      const report = { partition: 0, epoch, ballot: ORDINALS + 1, ready: true, learners: [] };
      world.placement.report('shard-1', 1, { reports: [report] });
      await Promise.resolve();
    }
    expect(world.group.failures).toHaveLength(49);
    world.group.failures.length = 0;
    await until('the place', () => shardNamed('shard-4')?.state === 'joining', WAIT);
  });
});
