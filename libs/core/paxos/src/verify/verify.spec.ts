import { beforeEach, describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { assignment, P, put, read, started } from '../../test/cluster-client.js';
import type { MemoryCluster } from '../../test/memory-cluster.js';
import type { PaxosEvent, Row, VerifiedPartition } from '../index.js';

const KEYS = Array.from({ length: 40 }, (_, i) => `key-${String(i).padStart(2, '0')}`);

describe('replicas held against each other', () => {
  let cluster: MemoryCluster;
  let runs = 0;

  beforeEach(() => {
    cluster = started();
    for (const key of KEYS) put(cluster, key, `value of ${key}`);
    cluster.until(() => [...cluster.replies.values()].length === KEYS.length);
    cluster.run(500);
  });

  const rowsOf = (shard: number): ReadonlyMap<string, Row> => cluster.storage(shard).liveRows(P);
  const rowOf = (shard: number, key: string): Row => rowsOf(shard).get(key)!;
  /** By hand, below the feet of the core. */
  const change = (shard: number, key: string, row: Row | null): void => {
    const generation = cluster.storage(shard).records.get(P)!.generation;
    const address = { partition: P, generation, key };
    const upserts = row === null ? [] : [{ ...address, row }];
    const removals = row === null ? [{ ...address, revision: null }] : [];
    cluster.storage(shard).apply({ id: 0, records: [], upserts, removals });
  };
  const verify = (): VerifiedPartition => {
    const leader = cluster.shard(cluster.leaderOf(P));
    leader.verify(`run ${++runs}`, cluster.now);
    cluster.until(() => leader.verified().partitions.length > 0);
    return leader.verified().partitions[0]!;
  };
  const eventsOf = (kind: PaxosEvent['kind']): unknown[] =>
    cluster.events
      .filter(({ event }) => event.kind === kind)
      .map(({ shard, event }) => ({ shard, ...event }));
  const valueAtLeader = (key: string): string => {
    const token = read(cluster, cluster.leaderOf(P), key);
    cluster.until(() => cluster.replies.has(token));
    const reply = cluster.replies.get(token);
    return reply?.kind === 'row' && reply.row?.value ? Buffer.from(reply.row.value).toString() : '';
  };
  const digestsAt = (shard: number, key: string): string[] => {
    const { generation } = cluster.storage(shard).records.get(P)!;
    const range = { partition: P, generation, start: key, end: `${key}\0`, wantsRows: false };
    const result = cluster
      .storage(shard)
      .read({ kind: 'digests', id: 1, ...range, limitRows: 1, limitBytes: 1_000_000 });
    return result.kind === 'digests' ? result.digests.map(({ digest }) => digest) : [];
  };
  const flipped = (row: Row): Row => ({ ...row, value: Buffer.from('flipped') });

  it('are found to be the same', () => {
    expect(verify()).toEqual({ partition: P, complete: true, rows: KEYS.length, differed: 0, mended: 0 });
    expect(eventsOf('verified')).toHaveLength(1);
  });

  const damages: readonly (readonly [string, (shard: number) => void])[] = [
    ['a flipped value', (shard) => change(shard, 'key-07', flipped(rowOf(shard, 'key-07')))],
    ['a row that is gone', (shard) => change(shard, 'key-07', null)],
    [
      'a row that should not be there',
      (shard) => change(shard, 'x', { ...rowOf(shard, 'key-07'), key: 'x' }),
    ],
    ['an older revision', (shard) => change(shard, 'key-07', { ...rowOf(shard, 'key-07'), revision: 1 })],
    [
      'a revision of the future',
      (shard) => change(shard, 'key-07', { ...rowOf(shard, 'key-07'), revision: 999 }),
    ],
    [
      'a tombstone',
      (shard) => change(shard, 'key-07', { ...rowOf(shard, 'key-07'), value: null, version: 0 }),
    ],
    ['what it remembers', (shard) => change(shard, 'key-07', { ...rowOf(shard, 'key-07'), requests: [] })],
  ];
  describe.each(damages)('%s', (_, damage) => {
    it.each([
      ['of a follower', false],
      ['of the leader', true],
    ])('is found and mended: %s', (__, atLeader) => {
      const leader = cluster.leaderOf(P);
      const shard = atLeader ? leader : [1, 2, 3].find((each) => each !== leader)!;
      const other = [1, 2, 3].find((each) => each !== shard)!;
      damage(shard);
      expect(verify()).toMatchObject({ complete: true, differed: 1, mended: 1 });
      expect(rowsOf(shard)).toEqual(rowsOf(other));
      expect(eventsOf('rowMended')).toEqual([expect.objectContaining({ shard, partition: P })]);
      expect(eventsOf('rowDiffers')).toEqual([]);
      expect(verify()).toMatchObject({ differed: 0 });
      expect(cluster.leaderOf(P)).toBe(leader);
    });
  });

  it('are mended in all rows, however many follow each other that differ', () => {
    const many = Array.from({ length: 300 }, (_, i) => `many-${String(i).padStart(3, '0')}`);
    const before = cluster.replies.size;
    for (const key of many) put(cluster, key, `value of ${key}`);
    cluster.until(() => cluster.replies.size === before + many.length);
    cluster.run(500);
    const shard = [1, 2, 3].find((each) => each !== cluster.leaderOf(P))!;
    for (const key of many) change(shard, key, flipped(rowOf(shard, key)));
    const rows = KEYS.length + many.length;
    expect(verify()).toMatchObject({ complete: true, rows, differed: many.length, mended: many.length });
    expect(rowsOf(shard)).toEqual(rowsOf(cluster.leaderOf(P)));
    expect(verify()).toMatchObject({ complete: true, rows, differed: 0 });
  });

  it('are mended at the leader with what it has in memory, and reads that come meanwhile see the mended row', () => {
    const leader = cluster.leaderOf(P);
    const key = 'key-07';
    change(leader, key, flipped(rowOf(leader, key)));
    // A new leadership has nothing in memory.
    cluster.kill(leader);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    cluster.start(leader);
    cluster.run(3_000);
    const present = cluster.leaderOf(P);
    if (present !== leader) change(present, key, flipped(rowOf(present, key)));
    if (present !== leader)
      change(
        leader,
        key,
        rowOf(
          [1, 2, 3].find((s) => s !== present && s !== leader)!,
          key,
        ),
      );
    expect(valueAtLeader(key)).toBe('flipped');
    const shard = cluster.shard(present);
    shard.verify('by hand', cluster.now);
    const seen: string[] = [];
    const asked: number[] = [];
    cluster.until(() => {
      asked.push(read(cluster, present, key));
      return shard.verified().partitions.length > 0;
    });
    cluster.run(50);
    for (const token of asked) {
      const reply = cluster.replies.get(token);
      if (reply?.kind === 'row' && reply.row?.value) seen.push(Buffer.from(reply.row.value).toString());
    }
    expect(seen).toHaveLength(asked.length);
    expect(new Set(seen)).toEqual(new Set(['flipped', `value of ${key}`]));
    expect(seen.lastIndexOf('flipped')).toBeLessThan(seen.indexOf(`value of ${key}`));
    expect(valueAtLeader(key)).toBe(`value of ${key}`);
  });

  it('are not told apart by what is written meanwhile, however fast', () => {
    const prng = seededPrng(5);
    const leader = cluster.shard(cluster.leaderOf(P));
    for (let round = 0; round < 60; round++) {
      leader.verify(`run ${++runs}`, cluster.now);
      cluster.until(() => {
        for (let i = 0; i < 3; i++)
          put(cluster, KEYS[Math.floor(prng.nextFloat() * KEYS.length)]!, `${cluster.now}`);
        return leader.verified().partitions.length > 0;
      });
      expect(leader.verified().partitions).toMatchObject([{ complete: true, differed: 0 }]);
    }
    expect(eventsOf('rowMended')).toEqual([]);
    const follower = [1, 2, 3].find((each) => each !== cluster.leaderOf(P))!;
    change(follower, 'never written', { ...rowOf(follower, 'key-07'), key: 'never written' });
    leader.verify(`run ${++runs}`, cluster.now);
    cluster.until(() => {
      put(cluster, KEYS[Math.floor(prng.nextFloat() * KEYS.length)]!, `${cluster.now}`);
      return leader.verified().partitions.length > 0;
    });
    expect(leader.verified().partitions).toMatchObject([{ differed: 1, mended: 1 }]);
  });

  it('are left alone where no majority agrees', () => {
    for (const shard of [1, 2, 3])
      change(shard, 'key-07', { ...rowOf(shard, 'key-07'), value: Buffer.from(`${shard}`) });
    expect(verify()).toMatchObject({ complete: true, differed: 3, mended: 0 });
    expect(eventsOf('rowDiffers')).toEqual([
      expect.objectContaining({ key: 'key-07', shards: [1, 2, 3], isTie: true }),
    ]);
  });

  it('are not mended by two of three that differ, and who is down is said to be missing', () => {
    const [follower, other] = [1, 2, 3].filter((each) => each !== cluster.leaderOf(P));
    cluster.kill(other!);
    change(follower!, 'key-07', flipped(rowOf(follower!, 'key-07')));
    expect(verify()).toMatchObject({ complete: false, differed: 2, mended: 0 });
    expect(rowOf(follower!, 'key-07').value).toEqual(Buffer.from('flipped'));
  });

  it('are asked again where a question or an answer was lost', () => {
    let lost = 0;
    cluster.loses = (_, { message }) => message.kind.startsWith('verif') && lost++ < 3;
    expect(verify()).toMatchObject({ complete: true, rows: KEYS.length });
  });

  it('are not mended where the row is another one by then, however late the word comes', () => {
    const leader = cluster.leaderOf(P);
    const follower = [1, 2, 3].find((each) => each !== leader)!;
    const key = 'key-07';
    const old = rowOf(follower, key);
    const [before] = digestsAt(follower, key);
    const word = (found: string | null): void => {
      const header = { partition: P, epoch: 1, ballot: cluster.ballotOf(P), round: 1 };
      cluster
        .shard(follower)
        .receive(leader, { kind: 'mend', ...header, key, found, rows: [old] }, cluster.now);
    };
    const newest = (): string => Buffer.from(rowOf(follower, key).value!).toString();
    const write = (text: string): void => {
      put(cluster, key, text);
      cluster.until(() => newest() === text);
    };
    write('second');
    word(before!);
    word(null);
    cluster.run(50);
    expect(newest()).toBe('second');
    // The row is read, and written before the answer is there.
    cluster.holdsRead = (shard, { kind }) => shard === follower && kind === 'digests';
    word(digestsAt(follower, key)[0]!);
    cluster.run(5);
    write('third');
    cluster.answerReads(follower);
    cluster.run(50);
    expect(newest()).toBe('third');
    expect(eventsOf('rowMended')).toEqual([]);
  });

  it('are read once, however slow the storage is', () => {
    const leader = cluster.leaderOf(P);
    let reads = 0;
    cluster.holdsRead = (shard, { kind }) => shard === leader && kind === 'digests' && ++reads > 0;
    cluster.shard(leader).verify('slow', cluster.now);
    cluster.run(10_000);
    expect(reads).toBe(1);
    cluster.holdsRead = () => false;
    cluster.answerReads(leader);
    cluster.until(() => cluster.shard(leader).verified().partitions.length > 0);
    expect(cluster.shard(leader).verified().partitions).toMatchObject([{ complete: true, differed: 0 }]);
  });

  it('are not compared while they are exchanged', () => {
    cluster.learn([assignment({ epoch: 2, nextReplicas: [1, 2, 3] })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    cluster.run(500);
    expect(verify()).toMatchObject({ complete: false, rows: 0 });
  });

  it('are compared by themselves, where that is wanted, at a pace', () => {
    const paced = started(undefined, { intervalMs: 5_000, bytesPerSecond: 1_000_000 });
    paced.run(16_000);
    const verified = paced.events.filter(({ event }) => event.kind === 'verified');
    expect(verified.length).toBeGreaterThanOrEqual(2);
    expect(verified.length).toBeLessThanOrEqual(4);
  });
});
