import { beforeEach, describe, expect, it } from '@jest/globals';
import { SHARD_ORDINALS_KEY, shardKey } from '@ringleader/contracts';
import type { ShardRegistration } from '@ringleader/contracts';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { registerShard, reportWalPosition } from './shard-registration.js';
import type { ShardRegistrationInput, ShardRegistrationOutcome } from './shard-registration.js';

/** A shard's database, as far as the registration sees it. */
class Database {
  incarnation = 0;
  ordinal: number | null = null;
  systemIdentifier = '7400000000000000001';
  timeline = 1;
  walPosition = '0/1500000';

  constructor(readonly shardId: string) {}

  /** A copy of the files at this moment. */
  backup(): Database {
    return Object.assign(new Database(this.shardId), this);
  }

  input(): ShardRegistrationInput {
    return {
      shardId: this.shardId,
      zone: 'z1',
      weight: 1,
      databaseIncarnation: this.incarnation,
      databaseOrdinal: this.ordinal,
      systemIdentifier: this.systemIdentifier,
      timeline: this.timeline,
      walPosition: this.walPosition,
      raiseDatabaseIncarnation: (from, to) => {
        if (this.incarnation !== from) return Promise.reject(new Error('raised by another process'));
        this.incarnation = to;
        return Promise.resolve();
      },
    };
  }
}

describe('registerShard', () => {
  let coordinator: FakeCoordinator;
  let database: Database;

  beforeEach(() => {
    coordinator = new FakeCoordinator();
    database = new Database('shard-1');
  });

  /** A start of the shard's process: registers, and stores the ordinal as the shard does before its first promise. */
  const start = async (on: Database = database): Promise<ShardRegistrationOutcome> => {
    const outcome = await registerShard(coordinator, on.input());
    if (outcome.kind === 'registered') on.ordinal = outcome.ordinal;
    return outcome;
  };
  const registered = (): ShardRegistration =>
    JSON.parse(coordinator.items.get(shardKey('shard-1'))?.value ?? '{}') as ShardRegistration;

  it('gives each shard an ordinal of its own, and keeps it', async () => {
    expect(await start()).toEqual({ kind: 'registered', ordinal: 1, incarnation: 1 });
    expect(await start(new Database('shard-2'))).toEqual({ kind: 'registered', ordinal: 2, incarnation: 1 });
    expect(await start()).toEqual({ kind: 'registered', ordinal: 1, incarnation: 2 });
    expect(coordinator.items.get(SHARD_ORDINALS_KEY)?.value).toBe('2');
  });

  it('raises both counters together', async () => {
    for (let i = 1; i <= 3; i++) {
      await start();
      expect([database.incarnation, registered().incarnation]).toEqual([i, i]);
    }
  });

  it('gives no ordinal twice when two shards register at once', async () => {
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((id) => start(new Database(id))));
    const ordinals = outcomes.map((outcome) => (outcome.kind === 'registered' ? outcome.ordinal : 0));
    expect(ordinals.sort()).toEqual([1, 2, 3, 4]);
  });

  it.each(['before', 'after'] as const)(
    'finds out what became of an unconfirmed write (%s it was done)',
    async (when) => {
      await start();
      const input = database.input();
      let calls = 0;
      const txn = coordinator.txn.bind(coordinator);
      // The first call reads, the second writes.
      coordinator.txn = (request) => {
        if (++calls === 2) coordinator.failNext('txn', 'OUTCOME_UNKNOWN', when);
        return txn(request);
      };
      expect(await registerShard(coordinator, input)).toEqual({
        kind: 'registered',
        ordinal: 1,
        incarnation: 2,
      });
      expect(registered().incarnation).toBe(2);
    },
  );

  it('goes on after a crash between the two raises, as often as it happens', async () => {
    await start();
    for (let i = 0; i < 2; i++) {
      coordinator.txn = ((original) => async (request) => {
        if (request.success.some(({ kind }) => kind === 'put')) throw new Error('crashed');
        return original(request);
      })(FakeCoordinator.prototype.txn.bind(coordinator));
      await expect(start()).rejects.toThrow('crashed');
    }
    coordinator.txn = FakeCoordinator.prototype.txn.bind(coordinator);
    expect([database.incarnation, registered().incarnation]).toEqual([3, 1]);
    expect(await start()).toEqual({ kind: 'registered', ordinal: 1, incarnation: 4 });
  });

  it('goes on after a crash between the first registration and the storing of the ordinal', async () => {
    await start();
    database.ordinal = null;
    expect(await start()).toEqual({ kind: 'registered', ordinal: 1, incarnation: 2 });
  });

  it('refuses a backup of an earlier incarnation', async () => {
    await start();
    const backup = database.backup();
    await start();
    expect(await start(backup)).toMatchObject({ kind: 'databaseForgot' });
    expect(backup.incarnation).toBe(1);
  });

  it('refuses an empty database under a known id', async () => {
    await start();
    expect(await start(new Database('shard-1'))).toMatchObject({ kind: 'databaseForgot' });
  });

  it.each([
    ['another system identifier', { systemIdentifier: '7400000000000000002' }],
    ['another timeline', { timeline: 2 }],
    ['a write-ahead log that ends earlier', { walPosition: '0/14FFFFF' }],
    ['a write-ahead log position that is none', { walPosition: 'nowhere' }],
  ])('refuses %s', async (_, change) => {
    await start();
    Object.assign(database, change);
    expect(await start()).toMatchObject({ kind: 'databaseForgot' });
  });

  it('refuses a backup of this incarnation that is older than the last report', async () => {
    await start();
    const backup = database.backup();
    database.walPosition = '1/0';
    expect(
      await reportWalPosition(coordinator, { shardId: 'shard-1', incarnation: 1, walPosition: '1/0' }),
    ).toBe(true);
    expect(await start(backup)).toMatchObject({ kind: 'databaseForgot' });
    expect(await start()).toMatchObject({ kind: 'registered', incarnation: 2 });
  });

  it('refuses a database that belongs to another shard or cluster', async () => {
    await start();
    const stranger = new Database('shard-1');
    Object.assign(stranger, { ordinal: 9, incarnation: 5 });
    expect(await start(stranger)).toMatchObject({ kind: 'foreignDatabase' });
    expect(await registerShard(new FakeCoordinator(), database.input())).toMatchObject({
      kind: 'foreignDatabase',
    });
  });

  it('lets the later of two processes win', async () => {
    await start();
    const early = database.input();
    const outcome = await registerShard(coordinator, {
      ...early,
      raiseDatabaseIncarnation: async (from, to) => {
        await early.raiseDatabaseIncarnation(from, to);
        await start();
      },
    });
    expect(outcome).toEqual({ kind: 'superseded', incarnation: 3 });
  });

  it('has no more than 65535 ordinals', async () => {
    coordinator.put([SHARD_ORDINALS_KEY, '65535']);
    expect(await start()).toEqual({ kind: 'ordinalsExhausted' });
  });
});

describe('reportWalPosition', () => {
  it('speaks for the registered incarnation only', async () => {
    const coordinator = new FakeCoordinator();
    const database = new Database('shard-1');
    const report = { shardId: 'shard-1', incarnation: 1, walPosition: '2/0' };
    expect(await reportWalPosition(coordinator, report)).toBe(false);
    await registerShard(coordinator, database.input());
    expect(await reportWalPosition(coordinator, report)).toBe(true);
    await registerShard(coordinator, { ...database.input(), walPosition: '2/0' });
    expect(await reportWalPosition(coordinator, report)).toBe(false);
  });
});
