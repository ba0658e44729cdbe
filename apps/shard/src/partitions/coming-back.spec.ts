import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { partitionKey, shardKey } from '@ringleader/contracts';
import { registerShard } from '@ringleader/coordination';
import { createLogger } from '@ringleader/observability';
import { ComingBack } from './coming-back.js';

const logger = createLogger({ level: 'silent', service: 'shard', member: 'shard-1' });

describe('a shard whose pages cannot be read', () => {
  let coordinator: FakeCoordinator;
  const setAside: number[] = [];

  const database = {
    moveAside: (ordinal: number): Promise<string> => {
      setAside.push(ordinal);
      return Promise.resolve('aside');
    },
  };
  const register = (ordinal: number) =>
    registerShard(coordinator, {
      ...{ shardId: `shard-${ordinal}`, zone: '', weight: 1, databaseIncarnation: 0, databaseOrdinal: null },
      ...{ setAside: [], systemIdentifier: '1', timeline: 1, walPosition: '0/1' },
      raiseDatabaseIncarnation: () => Promise.resolve(),
    });
  const comeBack = (former: number): Promise<void> =>
    new ComingBack(coordinator, `shard-${former}`, logger).setAside(database, {
      ...{ kind: 'damaged', former, detail: 'a page is unreadable' },
    });

  beforeEach(async () => {
    coordinator = new FakeCoordinator();
    setAside.length = 0;
    for (const ordinal of [1, 2, 3]) await register(ordinal);
    const entry = { partition: 0, epoch: 1, replicas: [1, 2, 3], nextReplicas: null, learners: [] };
    coordinator.put([partitionKey(0), JSON.stringify({ ...entry, preferredLeader: 1 })]);
  });

  it('keeps its database where another one sets its own aside at the same time', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3].map(comeBack));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(setAside).toHaveLength(1);
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    for (const error of refused) expect(error).toMatchObject({ code: 'DATABASE_DAMAGED' });
  });

  it('keeps it where another process was registered in its place', async () => {
    coordinator.remove(shardKey('shard-1'));
    await register(1);
    await expect(comeBack(1)).rejects.toMatchObject({ code: 'DATABASE_FORGOT' });
    expect(setAside).toEqual([]);
  });
});
