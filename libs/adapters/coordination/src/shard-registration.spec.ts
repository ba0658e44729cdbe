import { beforeEach, describe, expect, it } from '@jest/globals';
import { SHARD_ORDINALS_KEY, partitionKey, shardKey, shardPlaceKey } from '@ringleader/contracts';
import type { ShardRegistration } from '@ringleader/contracts';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import {
  announceSetAside,
  answerChallenge,
  challengeRegistration,
  registerShard,
  reportWalPosition,
} from './shard-registration.js';
import type { ShardRegistrationInput, ShardRegistrationOutcome } from './shard-registration.js';

/** A shard's database, as far as the registration sees it. */
class Database {
  incarnation = 0;
  ordinal: number | null = null;
  systemIdentifier = '7400000000000000001';
  timeline = 1;
  walPosition = '0/1500000';
  setAside: number[] = [];

  constructor(readonly shardId: string) {}

  /** A copy of the files at this moment. */
  backup(): Database {
    return Object.assign(new Database(this.shardId), this);
  }

  /** What the shard does when it is told that this is not the database of `former`. */
  putAside(former: number): void {
    Object.assign(this, { incarnation: 0, ordinal: null, setAside: [...this.setAside, former] });
  }

  input(): ShardRegistrationInput {
    return {
      shardId: this.shardId,
      zone: 'z1',
      weight: 1,
      databaseIncarnation: this.incarnation,
      databaseOrdinal: this.ordinal,
      setAside: this.setAside,
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
      await reportWalPosition(coordinator, { shardId: 'shard-1', ordinal: 1, incarnation: 1 }, '1/0'),
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

describe('a shard that comes back as a new one', () => {
  let coordinator: FakeCoordinator;
  const databases = new Map<string, Database>();
  const at = (shardId: string): Database => databases.get(shardId)!;
  const start = async (shardId: string, on = at(shardId)): Promise<ShardRegistrationOutcome> => {
    const outcome = await registerShard(coordinator, on.input());
    if (outcome.kind === 'registered') on.ordinal = outcome.ordinal;
    return outcome;
  };
  const registered = (shardId: string): ShardRegistration =>
    JSON.parse(coordinator.items.get(shardKey(shardId))!.value) as ShardRegistration;
  const mapOf = (...replicas: readonly number[]): void => {
    const entry = { partition: 0, epoch: 1, replicas, nextReplicas: null, learners: [], preferredLeader: 1 };
    coordinator.put([partitionKey(0), JSON.stringify(entry)]);
  };

  beforeEach(async () => {
    coordinator = new FakeCoordinator();
    for (const shardId of ['shard-1', 'shard-2', 'shard-3']) {
      databases.set(shardId, new Database(shardId));
      await start(shardId);
    }
    mapOf(1, 2, 3);
  });

  it('gets a new ordinal in place of the former, once what it held is set aside', async () => {
    const empty = new Database('shard-1');
    expect(await start('shard-1', empty)).toMatchObject({ kind: 'databaseForgot', former: 1 });
    empty.putAside(1);
    expect(await start('shard-1', empty)).toEqual({ kind: 'registered', ordinal: 4, incarnation: 1 });
    expect(registered('shard-1')).toMatchObject({ ordinal: 4, incarnation: 1 });
    expect(coordinator.items.get(SHARD_ORDINALS_KEY)?.value).toBe('4');
    expect(await start('shard-1', empty)).toEqual({ kind: 'registered', ordinal: 4, incarnation: 2 });
    // The database of before, found again: the next one, and not what it was.
    expect(await start('shard-1')).toMatchObject({ kind: 'databaseForgot', former: 4 });
  });

  it('is never taken for what it was, however often it crashes on the way', async () => {
    at('shard-1').putAside(1);
    const txn = coordinator.txn.bind(coordinator);
    coordinator.txn = (request) => {
      const writes = request.success.some(({ kind }) => kind === 'put');
      return writes ? Promise.reject(new Error('crashed')) : txn(request);
    };
    for (let i = 0; i < 3; i++) await expect(start('shard-1')).rejects.toThrow('crashed');
    coordinator.txn = txn;
    expect(at('shard-1').incarnation).toBe(3);
    expect(await start('shard-1')).toEqual({ kind: 'registered', ordinal: 4, incarnation: 4 });
  });

  it.each(['before', 'after'] as const)(
    'finds out what became of an unconfirmed write (%s)',
    async (when) => {
      at('shard-1').putAside(1);
      const txn = coordinator.txn.bind(coordinator);
      let calls = 0;
      coordinator.txn = (request) => {
        if (++calls === 2) coordinator.failNext('txn', 'OUTCOME_UNKNOWN', when);
        return txn(request);
      };
      expect(await start('shard-1')).toEqual({ kind: 'registered', ordinal: 4, incarnation: 1 });
    },
  );

  it('does so where it was replaced, though it forgot nothing', async () => {
    const place = {
      ordinal: 1,
      shardId: 'shard-1',
      state: 'replaced',
      zone: '',
      weight: 1,
      weightIsSet: false,
    };
    coordinator.put([shardPlaceKey(1), JSON.stringify({ ...place, since: '2026-01-01T00:00:00.000Z' })]);
    expect(await start('shard-1')).toMatchObject({ kind: 'replaced', former: 1 });
    at('shard-1').putAside(1);
    expect(await start('shard-1')).toMatchObject({ kind: 'registered', ordinal: 4 });
  });

  it('does not where the others would be no majority: of two at once, one does', async () => {
    at('shard-1').putAside(1);
    at('shard-2').putAside(2);
    const outcomes = await Promise.all([start('shard-1'), start('shard-2')]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['needed', 'registered']);
    mapOf(4, 2, 3);
    const second = outcomes[0].kind === 'needed' ? 'shard-1' : 'shard-2';
    mapOf(4, second === 'shard-1' ? 1 : 2, 3);
    expect(await start(second)).toMatchObject({ kind: 'registered', ordinal: 5 });
  });

  it('is counted on again where it said so, and then served from its database after all', async () => {
    const say = (ordinal: number) =>
      announceSetAside(coordinator, { shardId: `shard-${ordinal}`, former: ordinal });
    expect(await say(1)).toEqual({ kind: 'announced' });
    expect(await say(1)).toEqual({ kind: 'announced' });
    expect(await say(2)).toEqual({ kind: 'needed', partitions: [0] });
    expect(coordinator.items.get(SHARD_ORDINALS_KEY)?.value).toBe('3');
    expect(await start('shard-1')).toMatchObject({ kind: 'registered', ordinal: 1 });
    expect(await say(2)).toEqual({ kind: 'announced' });
  });

  it('is removed, not new, where nobody is registered under its name any more', async () => {
    coordinator.remove(shardKey('shard-1'));
    expect(await start('shard-1')).toEqual({ kind: 'removed', ordinal: 1 });
    expect(await start('shard-1', new Database('shard-1'))).toMatchObject({ kind: 'registered', ordinal: 4 });
  });

  it('waits to hear whether the registered one still runs', async () => {
    const life = { shardId: 'shard-1', ordinal: 1, incarnation: 1 };
    const challenge = (wait: () => Promise<void>) =>
      challengeRegistration(coordinator, { shardId: 'shard-1', former: 1 }, 'me', wait);
    expect(await challenge(() => Promise.resolve())).toBe('silent');
    expect(await challenge(async () => void (await answerChallenge(coordinator, life)))).toBe('answered');
    expect(registered('shard-1').challengedBy).toBeUndefined();
    expect(await challenge(async () => void (await start('shard-1')))).toBe('answered');
  });
});

describe('reportWalPosition', () => {
  it('speaks for the registered incarnation only', async () => {
    const coordinator = new FakeCoordinator();
    const database = new Database('shard-1');
    const life = { shardId: 'shard-1', ordinal: 1, incarnation: 1 };
    expect(await reportWalPosition(coordinator, life, '2/0')).toBe(false);
    await registerShard(coordinator, database.input());
    expect(await reportWalPosition(coordinator, life, '2/0')).toBe(true);
    expect(await reportWalPosition(coordinator, { ...life, ordinal: 2 }, '3/0')).toBe(false);
    await registerShard(coordinator, { ...database.input(), walPosition: '2/0' });
    expect(await reportWalPosition(coordinator, life, '2/0')).toBe(false);
  });
});
