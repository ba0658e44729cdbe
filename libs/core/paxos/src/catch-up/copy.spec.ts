import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { converged, put, started, write, P } from '../../test/cluster-client.js';
import { LIMITS, TIMINGS } from '../../test/memory-cluster.js';
import { makeBallot, roundOf } from '../ballot.js';
import type { ShardMessage } from '../index.js';
import { LEAP_PERSISTS_MS } from '../rules/accept-rules.js';

describe('a copy', () => {
  it('keeps the greatest floor of those who sent its pages, whoever ends it', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    // The leader once purged more than the one that ends the copy.
    cluster.changesMessage = (_from, message) =>
      message.kind === 'page' && message.start === '' ? { ...message, dedupeFloor: 42 } : message;
    cluster.start(3);
    cluster.until(() =>
      cluster.events.some(({ shard, event }) => shard === 3 && event.kind === 'copyFinished'),
    );
    cluster.run(50);
    expect(cluster.storage(3).records.get(P)).toMatchObject({ staging: null, dedupeFloor: 42 });
  });

  it('takes nothing away that was chosen, where what it has to undo is more than one answer holds', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 8, repairBytesMax: 400 });
    cluster.kill(3);
    const value = 'v'.repeat(300);
    const keyOf = (index: number): string => `k${String(index).padStart(3, '0')}`;
    for (let index = 0; index < 300; index += 1) write(cluster, keyOf(index), value);
    const copiedTo = (): string => cluster.storage(3).records.get(P)?.staging?.nextKey ?? '';
    cluster.start(3);
    cluster.until(() => copiedTo() >= keyOf(10));
    // Of these nobody but the leader knows, and whoever it copies to.
    const carriesRows = new Set(['accepts', 'repairOffer', 'delta']);
    cluster.loses = (from, { to, message }) => from === 1 && to === 2 && carriesRows.has(message.kind);
    for (let index = 50; index < 60; index += 1) put(cluster, keyOf(index), 'never chosen');
    cluster.until(() => copiedTo() > keyOf(60));
    cluster.kill(1);
    cluster.loses = () => false;
    const isFinished = (): boolean =>
      cluster.events.some(({ shard, event }) => shard === 3 && event.kind === 'copyFinished');
    cluster.until(isFinished);
    cluster.run(50);
    expect([...cluster.storage(3).liveRows(P).keys()].sort()).toEqual(
      Array.from({ length: 300 }, (_, index) => keyOf(index)),
    );
    expect(converged(cluster, [2, 3])).toBe(true);
    // The copy that the first leader began.
    const copies = cluster.events.filter(({ shard, event }) => shard === 3 && event.kind === 'copyStarted');
    expect(copies).toHaveLength(1);
  });

  it('makes its replica stand last, though its turn would come first', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    cluster.kill(2);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    // It does not end before the election.
    cluster.loses = (_from, { message }) => message.kind === 'finish';
    cluster.start(2);
    cluster.run(4 * TIMINGS.leaseMs);
    expect(cluster.storage(2).records.get(P)?.staging).toMatchObject({ nextKey: null });
    const before = cluster.events.length;
    cluster.kill(1);
    const stood = (): (typeof cluster.events)[number] | undefined =>
      cluster.events.slice(before).find(({ event }) => event.kind === 'candidacy');
    cluster.until(() => stood() !== undefined);
    expect(stood()).toMatchObject({ shard: 3 });
    cluster.loses = () => false;
    cluster.until(() => cluster.leaderOf(P) === 3);
  });

  it('does not end with a position that the replica is past', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    write(cluster, 'a', 'v');
    cluster.run(50);
    const own = cluster.storage(3).records.get(P)?.position;
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    let refused = 0;
    cluster.changesMessage = (_from, message) => {
      if (message.kind !== 'finish' || refused > 0 || own === undefined) return message;
      refused += 1;
      return { ...message, to: own, rows: [], absent: [], commit: 0 };
    };
    cluster.start(3);
    const finished = (): number =>
      cluster.events.filter(({ shard, event }) => shard === 3 && event.kind === 'copyFinished').length;
    cluster.until(() => finished() > 0);
    cluster.run(5);
    expect(refused).toBe(1);
    expect(cluster.storage(3).records.get(P)?.position.revision).toBe(301);
  });

  it.each([
    ['page', 4],
    ['delta', 1_000],
  ])('and a repair: a %s is read once, however often it is asked for meanwhile', (kind, repairRowsMax) => {
    const cluster = started({ ...LIMITS, repairRowsMax });
    write(cluster, 'a', 'v');
    cluster.run(50);
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    let reads = 0;
    let requests = 0;
    cluster.holdsRead = (_shard, read) => {
      reads += Number(read.kind === kind);
      return read.kind === kind;
    };
    cluster.loses = (from, { message }) => {
      requests += Number(from === 3 && message.kind === `${kind}Request`);
      return false;
    };
    cluster.start(3);
    cluster.until(() => requests >= 4);
    cluster.run(5);
    expect(reads).toBe(1);
    cluster.holdsRead = () => false;
    for (const shard of [1, 2]) cluster.answerReads(shard);
    cluster.until(() => converged(cluster, [1, 2, 3]));
  });

  it.each([
    ['delta', 1_000],
    ['page', 4],
    ['finish', 4],
  ])('and a repair ask on where the floor of a %s leaps, and end within seconds', (kind, repairRowsMax) => {
    const cluster = started({ ...LIMITS, repairRowsMax });
    write(cluster, 'a', 'v');
    cluster.run(50);
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    let said = 0;
    cluster.changesMessage = (_from, message) => {
      if (message.kind !== kind || !('dedupeFloor' in message)) return message;
      said += 1;
      // As the clock of whoever says it goes on.
      return { ...message, dedupeFloor: (cluster.now + 3_600_000) * HYBRID_UNITS_PER_MS };
    };
    cluster.start(3);
    cluster.until(() => said > 0);
    const since = cluster.now;
    cluster.until(() => converged(cluster, [1, 2, 3]));
    expect(cluster.now - since).toBeGreaterThanOrEqual(LEAP_PERSISTS_MS);
    expect(cluster.now - since).toBeLessThan(LEAP_PERSISTS_MS + 1_000);
    expect(cluster.storage(3).records.get(P)?.dedupeFloor).toBeGreaterThan(
      (since + 3_600_000) * HYBRID_UNITS_PER_MS,
    );
  });

  it('is read for again after its read was withdrawn', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    cluster.run(1_000);
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    const asked: ShardMessage[] = [];
    cluster.loses = (from, { message }) => {
      if (from === 3 && message.kind === 'pageRequest') asked.push(message);
      return from === 3 && message.kind === 'pageRequest';
    };
    cluster.start(3);
    cluster.until(() => asked.length > 0);
    cluster.loses = (from, { to }) => from === 3 || to === 3;
    // It is the source no more when the read would leave: it has accepted at a higher ballot.
    const previous = cluster.storage(1).records.get(P)?.position ?? { ballot: 0, revision: 0 };
    const next = { ballot: makeBallot(roundOf(previous.ballot) + 3, 2), revision: previous.revision };
    const batch = { partition: P, epoch: 1, ballot: next.ballot, previous, next, rows: [], commit: 0 };
    for (const message of asked.slice(0, 1)) cluster.shard(1).receive(3, message, cluster.now);
    const lease = { sentAt: 0 };
    const accepts = { kind: 'accepts', incarnation: 1, number: 2 ** 40, lease, batches: [batch] } as const;
    cluster.shard(1).receive(2, accepts, cluster.now);
    cluster.step();
    expect(cluster.leaderOf(P)).not.toBe(1);
    cluster.until(() => cluster.leaderOf(P) === 1);
    let answers = 0;
    cluster.loses = (from, { to, message }) => {
      answers += Number(from === 1 && to === 3 && message.kind === 'page');
      return message.kind === 'page' && from === 2;
    };
    cluster.until(() => answers > 0);
    cluster.until(() => converged(cluster, [1, 2, 3]));
  });
});
