/** PlacementService, about shards that are down: when they are given up, and what becomes of what only they had. */
import { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  OperationalError,
  PLACEMENT_ELAPSED_KEY,
  memberKey,
  placementElapsedSchema,
  prefixRange,
} from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { PlacementWorld, WAIT } from '../../test/placement-world.js';
import { putMetadata, readMetadata } from '../store/metadata.js';

describe('shards that are lost', () => {
  const world = new PlacementWorld();
  const { newService, register, serve, judge, remove, map, shardNamed, startWithShards, settle } = world;
  beforeEach(() => world.begin());
  afterEach(() => world.stop());

  /** The leader has looked at all there is by now: from its look on it counts, and on a busy machine it comes late. */
  const looked = async (): Promise<void> => {
    const { looksTotal } = world.placement.log;
    await judge('shard-4', 'suspect');
    await until('a look', () => world.placement.log.looksTotal > looksTotal, WAIT);
    await judge('shard-4', 'alive');
  };
  const goesDown = async (id: string): Promise<void> => {
    await judge(id, 'down');
    await until('the verdict', () => shardNamed(id)?.verdict === 'down', WAIT);
    await remove(memberKey('shard', id));
    await looked();
  };

  it('gives a shard up that is down for too long, and takes it in as a new one', async () => {
    await startWithShards(4);
    await settle();
    await goesDown('shard-2');
    expect(shardNamed('shard-2')?.state).toBe('active');
    world.clock.now += 60_000;
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
    world.clock.aheadMs = atVerdictMs;
    await goesDown('shard-2');
    world.clock.aheadMs = afterwardsMs;
    const { looksTotal } = world.placement.log;
    world.clock.now += 59_000;
    await judge('shard-3', 'suspect');
    await until('another look', () => world.placement.log.looksTotal > looksTotal, WAIT);
    expect(shardNamed('shard-2')?.state).toBe('active');
    world.clock.now += 1_000;
    await judge('shard-3', 'alive');
    await until('it to be given up', () => shardNamed('shard-2')?.state === 'replaced', WAIT);
  });

  it('goes on counting where the leader before has left off', async () => {
    await startWithShards(4);
    await settle();
    await goesDown('shard-2');
    world.clock.now += 30_000;
    await judge('shard-3', 'suspect');
    const written = (): number =>
      readMetadata(
        world.group.store.local,
        { key: PLACEMENT_ELAPSED_KEY, rangeEnd: null },
        placementElapsedSchema,
      )
        .flatMap(({ value }) => Object.values(value))
        .reduce((most, other) => Math.max(most, other), 0);
    await until('it to be written down', () => written() === 30_000, WAIT);
    world.placement.beforeApplicationShutdown();
    world.clock.aheadMs = -3_600_000;
    world.placement = newService();
    world.placement.onApplicationBootstrap();
    await until('the places', () => shardNamed('shard-2')?.state === 'active', WAIT);
    await looked();
    world.clock.now += 30_000;
    await judge('shard-3', 'alive');
    await until('it to be given up', () => shardNamed('shard-2')?.state === 'replaced', WAIT);
  });

  it('gives up no shard that comes back while that is being written', async () => {
    await startWithShards(4);
    await settle();
    await goesDown('shard-2');
    world.clock.now += 60_000;
    const propose = world.group.propose.bind(world.group);
    let isBack = false;
    world.group.propose = async (command) => {
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

  describe('recovers partitions', () => {
    const PARTITIONS = 512;
    const lost = ['shard-2', 'shard-3'];
    const record = (partitions: readonly { readonly partition: number }[]) => {
      const success = [putMetadata(`/record/${partitions[0]!.partition}`, partitions)];
      return { compare: [], success };
    };
    beforeEach(async () => {
      world.placement = newService(PARTITIONS);
      await startWithShards(3);
      for (const id of lost) {
        await judge(id, 'down');
        await remove(memberKey('shard', id));
      }
    });
    /** `before` comes before the so manyth transaction of the recovery, which is the last of them if it throws. */
    const interpose = (number: number, before: () => Promise<unknown>): void => {
      const { store } = world.group;
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
      const { plan } = world.placement.overview();
      const planned = world.placement.imagineRecovery(lost, plan.epoch);
      expect(planned.partitions).toHaveLength(PARTITIONS);
      expect(map().every(({ recovery }) => recovery === undefined)).toBe(true);
      const done = await world.placement.recover(lost, plan.epoch, record);
      expect(done.partitions).toEqual(planned.partitions);
      expect(done.failure).toBeUndefined();
      expect([planned.epoch, done.epoch]).toEqual([plan.epoch, plan.epoch + 2]);
      expect(
        readMetadata(world.group.store.local, prefixRange('/record/'), z.array(z.unknown())),
      ).toHaveLength(2);
      for (const { replicas, recovery } of map()) {
        expect([replicas, recovery]).toEqual([[1], { times: 1, epoch: 2, kept: [1], lost: [2, 3] }]);
      }
      expect(planned.partitions[0]!.lost.map(planned.nameOf)).toEqual(lost);
    });

    it('but not where one has come back meanwhile', async () => {
      interpose(1, () => serve(2));
      await expect(world.placement.recover(lost, undefined, record)).rejects.toMatchObject({
        code: 'SHARD_NOT_DOWN',
      });
      expect(map().every(({ recovery }) => recovery === undefined)).toBe(true);
    });

    it('and says what is done where the rest failed', async () => {
      interpose(2, () => Promise.reject(new OperationalError('UNAVAILABLE', 'No majority')));
      const { partitions, failure } = await world.placement.recover(lost, undefined, record);
      expect([partitions.length, failure?.code]).toEqual([256, 'UNAVAILABLE']);
      expect(map().filter(({ recovery }) => recovery !== undefined)).toHaveLength(256);
      const rest = await world.placement.recover(lost, undefined, record);
      expect(rest.partitions).toHaveLength(PARTITIONS - 256);
      await expect(world.placement.recover(lost, undefined, record)).rejects.toMatchObject({
        code: 'NOTHING_TO_RECOVER',
      });
    });

    it('and does the rest when it is asked for again at the same epoch, and nothing twice', async () => {
      const { epoch } = world.placement.overview().plan;
      interpose(2, () => Promise.reject(new OperationalError('UNAVAILABLE', 'No majority')));
      const { partitions } = await world.placement.recover(lost, epoch, record);
      const rest = await world.placement.recover(lost, epoch, record);
      expect([partitions.length, rest.partitions.length]).toEqual([256, PARTITIONS - 256]);
      const again = await world.placement.recover(lost, epoch, record);
      expect([again.epoch, again.partitions]).toEqual([world.placement.overview().plan.epoch, []]);
      for (const { recovery } of map()) expect(recovery?.times).toBe(1);
      await expect(world.placement.recover(['shard-2'], epoch, record)).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
    });
  });
});
