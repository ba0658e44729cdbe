import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { INCIDENTS_PREFIX, OperationalError, shardPlaceKey } from '@ringleader/contracts';
import type { Incident, ShardPlace } from '@ringleader/contracts';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { systemClock } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { ShardDirectory } from '../routing/shard-directory.js';
import { PlacementObserver, type Placement } from './placement-observer.js';

const WITHIN = { timeoutMs: 4_000, everyMs: 5 };
const place = (ordinal: number, shardId: string, state: ShardPlace['state']): ShardPlace => ({
  ...{ ordinal, shardId, state, zone: '', weight: 1, weightIsSet: false, since: '2026-11-26T00:00:00.000Z' },
});
const incident = (id: string, at: string): Incident => ({
  ...{ id, at, kind: 'REPLICA_DIFFERED', shard: 'shard-1', ordinal: 1, partition: 3, keys: [], detail: 'd' },
  mended: true,
});

describe('PlacementObserver', () => {
  let coordinator: FakeCoordinator;
  let observer: PlacementObserver;
  let answer: () => Promise<Placement>;
  let troubles: OperationalError[];
  beforeEach(() => {
    troubles = [];
    coordinator = new FakeCoordinator();
    answer = () => Promise.resolve({ shards: [], plan: { epoch: 3 } } as unknown as Placement);
    const client = Object.assign(coordinator, { ask: () => answer() as never });
    observer = new PlacementObserver({
      ...{ client, clock: systemClock, shardDirectory: new ShardDirectory() },
      onTrouble: (error) => troubles.push(error),
    });
  });
  afterEach(() => observer.stop());

  it('tells a shard from the one that came back under its name', async () => {
    coordinator.put(
      [shardPlaceKey(1), JSON.stringify(place(1, 'shard-1', 'replaced'))],
      [shardPlaceKey(4), JSON.stringify(place(4, 'shard-1', 'active'))],
    );
    observer.start();
    await until('the places are known', () => observer.places.length === 2, WITHIN);
    expect([1, 4, 5].map((ordinal) => observer.name(ordinal))).toEqual([
      'shard-1 (replaced)',
      'shard-1',
      null,
    ]);
  });

  it('knows all that it can read, whatever a newer version has written before it', async () => {
    const unreadable = { ...place(1, 'shard-1', 'active'), state: 'hibernating' };
    coordinator.put(
      [shardPlaceKey(1), JSON.stringify(unreadable)],
      [shardPlaceKey(2), JSON.stringify(place(2, 'shard-2', 'active'))],
    );
    observer.start();
    await until('what can be read is known', () => observer.places.length === 1, WITHIN);
    expect(observer.places.map(({ shardId }) => shardId)).toEqual(['shard-2']);
    expect(troubles.map(({ code }) => code)).toEqual(['INTERNAL']);
  });

  it('has incidents by their age, the newest first', async () => {
    observer.start();
    for (const [id, at] of [
      ['b', '2026-11-26T00:00:02.000Z'],
      ['a', '2026-11-26T00:00:03.000Z'],
    ] as const)
      coordinator.put([`${INCIDENTS_PREFIX}${id}`, JSON.stringify(incident(id, at))]);
    await until('the incidents are known', () => observer.incidents.length === 2, WITHIN);
    expect(observer.incidents.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('knows no plan while no leader tells one', async () => {
    observer.start();
    await until('the plan is known', () => observer.placement?.plan.epoch === 3, WITHIN);
    answer = () => Promise.reject(new OperationalError('UNAVAILABLE', 'No leader'));
    await until('the plan is not known any more', () => observer.placement === null, WITHIN);
  });
});
