/** A process that was told to stop hands over what it leads before it ends (docs/PROTOCOL.md 4.4.8). */
import { describe, expect, it } from '@jest/globals';
import { READS_ALL, assignment, P, put, started as fresh, write } from '../../test/cluster-client.js';
import { LIMITS, type MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import type { PaxosRules } from '../rules/rules.js';

const isLedByAnother = (cluster: MemoryCluster, than: number) => (): boolean =>
  ![0, than].includes(cluster.leaderOf(P));

/** Longer than a leader stays that the map does not prefer. */
const SETTLED_MS = 5 * TIMINGS.leaseMs;

/** Known to each other for long enough. */
function started(rules?: PaxosRules): MemoryCluster {
  const cluster = fresh(LIMITS, undefined, rules);
  cluster.run(SETTLED_MS);
  return cluster;
}

describe('a shard that leaves', () => {
  it('answers what is in flight, and is gone when somebody else has stood', () => {
    const cluster = started();
    const token = put(cluster, 'a', 'in flight');
    cluster.run(1);
    expect(cluster.replies.has(token)).toBe(false);
    cluster.shard(1).leave(cluster.now);
    expect(cluster.shard(1).hasLeft).toBe(false);
    const took = cluster.until(() => cluster.shard(1).hasLeft);
    expect(took).toBeLessThan(20);
    expect(cluster.replies.get(token)).toMatchObject({ kind: 'written', revision: 1 });
    expect(cluster.until(isLedByAnother(cluster, 1))).toBeLessThan(20);
  });

  it.each([2, 3])('waits for its successor only, in whatever order %i and the other acknowledge', (late) => {
    const cluster = started();
    const token = put(cluster, 'a', 'in flight');
    cluster.run(1);
    cluster.pause(late, 10);
    cluster.shard(1).leave(cluster.now);
    expect(cluster.until(() => cluster.shard(1).hasLeft)).toBeLessThan(30);
    expect(cluster.replies.get(token)).toMatchObject({ kind: 'written', revision: 1 });
  });

  it('sends on what waits for its row when that begins, as it does what comes later', () => {
    const cluster = started(READS_ALL);
    write(cluster, 'a', 'known');
    cluster.loses = (_from, { message }) => message.kind === 'accepts';
    put(cluster, 'a', 'in flight');
    cluster.holdsRead = () => true;
    const waiting = put(cluster, 'b', 'waits');
    cluster.run(2);
    cluster.shard(1).leave(cluster.now);
    cluster.answerReads(1);
    const later = put(cluster, 'c', 'later');
    cluster.run(1);
    for (const token of [waiting, later]) expect(cluster.replies.get(token)?.kind).toBe('notLeader');
  });

  it('does not get back what it was preferred for, until it has started again', () => {
    const cluster = started();
    cluster.shard(1).leave(cluster.now);
    cluster.until(isLedByAnother(cluster, 1));
    const before = cluster.events.length;
    cluster.run(SETTLED_MS);
    expect(cluster.events.slice(before).filter(({ event }) => event.kind === 'steppedDown')).toEqual([]);
    cluster.kill(1);
    cluster.start(1);
    cluster.until(() => cluster.leaderOf(P) === 1);
  });

  it('says at each heartbeat that its ballot is over, until everybody has answered', () => {
    const cluster = started();
    const told: number[] = [];
    let isDeaf = true;
    // Nobody elects meanwhile, and what followers state of their own accord is not heard.
    cluster.loses = (_from, { to, message }) => {
      if (message.kind !== 'released') return ['stand', 'prepare', 'promised'].includes(message.kind);
      told.push(to);
      return isDeaf && to === 3;
    };
    cluster.shard(1).releaseAll(cluster.now);
    cluster.run(5 * TIMINGS.heartbeatIntervalMs);
    expect(told.filter((to) => to === 3).length).toBeGreaterThan(3);
    expect(told.filter((to) => to === 2)).toHaveLength(1);
    isDeaf = false;
    cluster.run(TIMINGS.heartbeatIntervalMs);
    told.length = 0;
    cluster.run(5 * TIMINGS.heartbeatIntervalMs);
    expect(told).toEqual([]);
  });

  it('gets nothing handed over any more: another leader keeps what this one is preferred for', () => {
    const cluster = started();
    cluster.shard(1).leave(cluster.now);
    cluster.until(isLedByAnother(cluster, 1));
    const leader = cluster.leaderOf(P);
    cluster.learn([assignment({ preferredLeader: 1, epoch: 2 })]);
    cluster.run(SETTLED_MS);
    expect(cluster.leaderOf(P)).toBe(leader);
  });

  it('waits for a successor that has just started, and for nobody where nobody is there', () => {
    const cluster = started();
    cluster.kill(3);
    cluster.run(SETTLED_MS);
    cluster.kill(2);
    cluster.start(2);
    cluster.run(2 * TIMINGS.heartbeatIntervalMs);
    cluster.shard(1).leave(cluster.now);
    write(cluster, 'b', 'taken meanwhile');
    cluster.until(isLedByAnother(cluster, 1), SETTLED_MS);
    expect(cluster.leaderOf(P)).toBe(2);
    expect(cluster.shard(1).hasLeft).toBe(true);
    cluster.kill(1);
    cluster.run(2 * TIMINGS.leaseMs);
    cluster.shard(2).leave(cluster.now);
    expect(cluster.shard(2).hasLeft).toBe(true);
  });
});
