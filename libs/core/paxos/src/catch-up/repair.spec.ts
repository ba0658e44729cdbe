import { describe, expect, it } from '@jest/globals';
import { converged, P, put, started, write } from '../../test/cluster-client.js';
import { LIMITS, TIMINGS } from '../../test/memory-cluster.js';
import type { MemoryCluster } from '../../test/memory-cluster.js';
import type { DeltaRead } from '../storage.js';

/** More than are in flight at once, so that they are not sent again; not more than a repair holds. */
const CHANGED = 300;
const keyOf = (index: number): string => `k${String(index).padStart(3, '0')}`;

/** Shard 3 was away while most of its keys changed. */
function outdated(): MemoryCluster {
  const cluster = started({ ...LIMITS, repairRowsMax: 1_000 });
  for (let index = 0; index < 400; index += 1) write(cluster, keyOf(index), 'before');
  cluster.run(50);
  cluster.kill(3);
  for (let index = 0; index < CHANGED; index += 1) write(cluster, keyOf(index), 'after');
  return cluster;
}

/** What sources read for the repair of shard 3, which then has what all have. */
function deltasReadFor3(cluster: MemoryCluster): DeltaRead[] {
  const reads: DeltaRead[] = [];
  cluster.holdsRead = (shard, read) => {
    if (shard !== 3 && read.kind === 'delta') reads.push(read);
    return false;
  };
  const repaired = (): boolean =>
    cluster.events.some(({ shard, event }) => shard === 3 && event.kind === 'repaired');
  cluster.start(3);
  cluster.until(() => repaired() && converged(cluster, [1, 2, 3]));
  return reads;
}

describe('a repair', () => {
  it('reads by name what changed, where its source has it in memory', () => {
    const cluster = outdated();
    const reads = deltasReadFor3(cluster);
    expect(reads.length).toBeGreaterThan(0);
    for (const { base, keys } of reads) {
      expect(base).toBe(Number.MAX_SAFE_INTEGER);
      expect([...keys].sort()).toEqual(Array.from({ length: CHANGED }, (_, index) => keyOf(index)));
    }
  });

  it('passes the partition where its source began after the base', () => {
    const cluster = outdated();
    cluster.kill(1);
    cluster.kill(2);
    cluster.start(1);
    cluster.start(2);
    const reads = deltasReadFor3(cluster);
    expect(reads.some(({ base }) => base < Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it('takes back what was never chosen, and sends nothing that did not change', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 100 });
    for (let index = 0; index < 10; index += 1) write(cluster, keyOf(index), 'before');
    cluster.run(50);
    const leader = cluster.leaderOf(P);
    const [other, last] = [1, 2, 3].filter((shard) => shard !== leader) as [number, number];
    // Of these nobody but the leader knows.
    cluster.loses = (from) => from === leader;
    put(cluster, keyOf(3), 'never chosen');
    put(cluster, 'new', 'never chosen');
    cluster.run(5);
    cluster.kill(leader);
    cluster.loses = () => false;
    cluster.until(() => [other, last].includes(cluster.leaderOf(P) ?? 0));
    write(cluster, keyOf(7), 'after');
    const told: string[] = [];
    cluster.changesMessage = (_from, message) => {
      if (message.kind === 'delta') told.push(...message.rows.map(({ key }) => key), ...message.absent);
      return message;
    };
    cluster.start(leader);
    cluster.until(() => converged(cluster, [1, 2, 3]) && told.length > 0);
    expect([...new Set(told)].sort()).toEqual([keyOf(3), keyOf(7), 'new']);
  });

  it('waits for the list of its own keys, however long its storage takes', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 100 });
    write(cluster, keyOf(1), 'before');
    cluster.run(50);
    const leader = cluster.leaderOf(P);
    cluster.loses = (from) => from === leader;
    put(cluster, keyOf(1), 'never chosen');
    cluster.run(5);
    cluster.kill(leader);
    cluster.loses = () => false;
    cluster.until(() => ![0, leader].includes(cluster.leaderOf(P)));
    write(cluster, keyOf(2), 'after');
    cluster.holdsRead = (shard, { kind }) => shard === leader && kind === 'page';
    cluster.start(leader);
    // The first one is of no use any more where another leader was elected meanwhile.
    for (let list = 1; list <= 3; list += 1) {
      cluster.run(100 * TIMINGS.candidacyTimeoutMs);
      cluster.answerReads(leader);
    }
    cluster.until(() => converged(cluster, [1, 2, 3]));
  });

  it('is waited for by a candidate, too, whose storage takes long to list its keys', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 100 });
    write(cluster, keyOf(1), 'before');
    cluster.run(50);
    const behind = cluster.leaderOf(P);
    cluster.loses = (from) => from === behind;
    put(cluster, keyOf(1), 'never chosen');
    cluster.run(5);
    cluster.kill(behind);
    cluster.loses = () => false;
    cluster.until(() => ![0, behind].includes(cluster.leaderOf(P)));
    write(cluster, keyOf(2), 'after');
    cluster.run(50);
    // Of those that have it one is gone, and one about to end: it promises, and stands no more.
    const leaving = cluster.leaderOf(P);
    cluster.kill(6 - behind - leaving);
    cluster.shard(leaving).leave(cluster.now);
    cluster.until(() => cluster.shard(leaving).hasLeft);
    cluster.holdsRead = (shard, { kind }) => shard === behind && kind === 'page';
    cluster.start(behind);
    cluster.run(100 * TIMINGS.candidacyTimeoutMs);
    cluster.answerReads(behind);
    cluster.until(() => cluster.leaderOf(P) === behind);
    cluster.until(() => converged(cluster, [behind, leaving]));
  });
});
