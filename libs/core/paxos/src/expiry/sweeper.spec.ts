import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { answer, assignment, P, put, putOperation, write } from '../../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import type { PaxosLimits, StorageRead, SweepPace } from '../index.js';

const ALL = [1, 2, 3];
const INTERVAL = 1_000;
const TTL = 300;

interface Options {
  readonly sweeping?: Partial<SweepPace>;
  readonly limits?: Partial<PaxosLimits>;
}

function started({ sweeping, limits }: Options = {}): MemoryCluster {
  const pace = { intervalMs: INTERVAL, rowsPerSecond: 100_000, ...sweeping };
  const cluster = new MemoryCluster(ALL, { ...LIMITS, ...limits }, { ...TIMINGS, sweeping: pace });
  cluster.learn([assignment()]);
  cluster.until(() => cluster.leaderOf(P) !== 0);
  return cluster;
}

function putFor(cluster: MemoryCluster, key: string, ttlMs: number, text = 'v'): number {
  const expiresAt = (cluster.now + ttlMs) * HYBRID_UNITS_PER_MS;
  const value = new TextEncoder().encode(text);
  return put(cluster, key, '', { operation: putOperation(key, { expiresAt, value }) });
}

function writeFor(cluster: MemoryCluster, keys: readonly string[], ttlMs: number, text?: string): void {
  const tokens = keys.map((key) => putFor(cluster, key, ttlMs, text));
  for (const token of tokens) expect(answer(cluster, token).kind).toBe('written');
}

/** No tombstones. */
function keysAt(cluster: MemoryCluster, shard: number): string[] {
  const rows = [...cluster.storage(shard).liveRows(P).values()];
  return rows.flatMap(({ key, value }) => (value === null ? [] : [key])).sort();
}

const everywhere = (cluster: MemoryCluster): string[][] => ALL.map((shard) => keysAt(cluster, shard));

function recordReads(cluster: MemoryCluster): { shard: number; read: StorageRead }[] {
  const reads: { shard: number; read: StorageRead }[] = [];
  cluster.holdsRead = (shard, read) => {
    reads.push({ shard, read });
    return false;
  };
  return reads;
}

const looks = (reads: { read: StorageRead }[]): number =>
  reads.filter(({ read }) => read.kind === 'expiries').length;

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${10_000 + i}`);

describe('an expired row that nobody asks for', () => {
  it('goes everywhere, and nothing is looked at any more where nothing expires', () => {
    const cluster = started();
    writeFor(cluster, ['a', 'b'], TTL);
    writeFor(cluster, ['c'], 20 * INTERVAL);
    write(cluster, 'd', 'v');
    cluster.run(TTL / 2);
    expect(everywhere(cluster)).toEqual(ALL.map(() => ['a', 'b', 'c', 'd']));
    cluster.until(() => everywhere(cluster).every((keys) => keys.join('') === 'cd'));
    // Once more, since one that was found may have been kept from going.
    cluster.run(3 * INTERVAL);
    const reads = recordReads(cluster);
    cluster.run(10 * INTERVAL);
    expect(looks(reads)).toBe(0);
    cluster.until(() => everywhere(cluster).every((keys) => keys.join('') === 'd'));
    const swept = cluster.events.flatMap(({ event }) => (event.kind === 'swept' ? [event.rows] : []));
    expect(swept).toEqual([2, 1]);
  });

  it('stays where nobody sweeps', () => {
    const cluster = new MemoryCluster(ALL, LIMITS, TIMINGS);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    writeFor(cluster, ['a'], TTL);
    cluster.run(TTL + 5 * INTERVAL);
    expect(everywhere(cluster)).toEqual([['a'], ['a'], ['a']]);
  });

  it('goes after a restart of all, too', () => {
    const cluster = started();
    writeFor(cluster, many(40), TTL);
    cluster.until(() => everywhere(cluster).every((keys) => keys.length === 40));
    for (const shard of ALL) {
      cluster.kill(shard);
      cluster.start(shard);
    }
    cluster.until(() => everywhere(cluster).every((keys) => keys.length === 0));
  });

  it('goes though its leader was lost when it had looked at the first page', () => {
    const cluster = started();
    writeFor(cluster, many(1_500), TTL);
    const lost = cluster.leaderOf(P);
    cluster.until(() => keysAt(cluster, lost).length < 1_500);
    expect(keysAt(cluster, lost).length).toBeGreaterThan(500);
    cluster.kill(lost);
    cluster.until(() => cluster.leaderOf(P) !== 0 && cluster.leaderOf(P) !== lost);
    const others = ALL.filter((shard) => shard !== lost);
    cluster.until(() => others.every((shard) => keysAt(cluster, shard).length === 0), 60_000);
  });

  it('goes though its leader lost its leadership before it came to it, and leads again', () => {
    const cluster = started();
    writeFor(cluster, many(600), 3_600_000);
    writeFor(cluster, ['z'], TTL);
    const leader = cluster.leaderOf(P);
    let isOnItsWay = false;
    cluster.holdsRead = (shard, read) => {
      if (read.kind !== 'expiries') return false;
      isOnItsWay ||= shard === leader && read.start !== '';
      return shard !== leader || read.start !== '';
    };
    cluster.until(() => isOnItsWay);
    cluster.loses = (from, { to }) => from === leader || to === leader;
    cluster.until(() => ![0, leader].includes(cluster.leaderOf(P)));
    cluster.loses = () => false;
    cluster.until(() => cluster.leaderOf(P) === leader, 60_000);
    cluster.holdsRead = () => false;
    cluster.until(() => everywhere(cluster).every((keys) => !keys.includes('z')), 60_000);
  });

  it('goes though it was written just before its leader began to look, and the storage is slow', () => {
    const cluster = started();
    cluster.run(2 * INTERVAL);
    cluster.showsLate = true;
    cluster.pace = { turnMs: () => 0, transactionMs: () => 2 * INTERVAL };
    const token = putFor(cluster, 'b', 1);
    cluster.until(() => cluster.replies.has(token), 60_000);
    expect(everywhere(cluster)).toContainEqual(['b']);
    cluster.until(() => everywhere(cluster).every((keys) => keys.length === 0), 60_000);
  });
});

describe('a sweep', () => {
  it('leaves a key that was renewed while its row was read', () => {
    const cluster = started();
    writeFor(cluster, ['a', 'b'], TTL);
    cluster.holdsRead = (_shard, { kind }) => kind === 'expiries';
    cluster.run(TTL + 2 * INTERVAL);
    writeFor(cluster, ['a'], 30 * INTERVAL);
    const leader = cluster.leaderOf(P);
    cluster.holdsRead = () => false;
    cluster.answerReads(leader);
    cluster.until(() => everywhere(cluster).every((keys) => keys.join('') === 'a'));
    cluster.run(5 * INTERVAL);
    expect(everywhere(cluster)).toEqual([['a'], ['a'], ['a']]);
    cluster.until(() => everywhere(cluster).every((keys) => keys.length === 0), 60_000);
  });

  it('looks at no more rows a second than it may', () => {
    const rowsPerSecond = 1_024;
    const cluster = started({ sweeping: { rowsPerSecond } });
    writeFor(cluster, many(4_000), 60_000);
    writeFor(cluster, ['a'], 1);
    const reads = recordReads(cluster);
    const before = cluster.now;
    cluster.until(() => !keysAt(cluster, 1).includes('a'), 60_000);
    const first = cluster.now;
    cluster.until(() => looks(reads) >= 8, 60_000);
    expect(first).toBeGreaterThan(before);
    // Eight pages of 512 rows: a second's worth at once, and the others when there is room.
    expect(cluster.now - before).toBeGreaterThan(2_000);
  });

  it('has no more tombstones in flight than others may, and goes on when there is room', () => {
    const cluster = started({ limits: { inFlightRevisionsMax: 8 } });
    for (let at = 0; at < 64; at += 8) writeFor(cluster, many(64).slice(at, at + 8), TTL);
    const leader = cluster.leaderOf(P);
    const others = ALL.filter((shard) => shard !== leader);
    cluster.loses = (from, { to }) => others.includes(from) && to === leader;
    const before = cluster.storage(leader).records.get(P)!.position.revision;
    cluster.run(TTL + INTERVAL);
    const { revision } = cluster.storage(leader).records.get(P)!.position;
    expect(revision - before).toBeLessThanOrEqual(8);
    cluster.loses = () => false;
    cluster.until(() => everywhere(cluster).every((keys) => keys.length === 0), 60_000);
  });

  it('reads no long value', () => {
    const cluster = started();
    writeFor(cluster, ['a'], TTL, 'x'.repeat(2 * LIMITS.valueBytesBeforeWrites));
    cluster.run(TTL / 2);
    for (const shard of ALL) {
      cluster.kill(shard);
      cluster.start(shard);
    }
    const reads = recordReads(cluster);
    cluster.until(() => everywhere(cluster).every((keys) => keys.length === 0));
    const keys = reads.flatMap(({ read }) => (read.kind === 'rows' ? read.keys : []));
    expect(keys.length).toBeGreaterThan(0);
    for (const { valueBytesMax } of keys) expect(valueBytesMax).toBe(LIMITS.valueBytesBeforeWrites);
  });
});
