import { describe, expect, it } from '@jest/globals';
import {
  P,
  answer,
  assignment,
  converged,
  put,
  read,
  started,
  textOf,
  write,
} from '../../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import { seededPrng, type Prng } from '@ringleader/primitives';
import type { PartitionAssignment } from '../ready.js';
import { hasQuorum } from '../rules/quorum.js';
import { RULES, type PaxosRules } from '../rules/rules.js';

function revisionOf(reply: ReturnType<typeof write>): number {
  if (reply.kind !== 'written') throw new Error(`answered ${reply.kind}`);
  return reply.revision;
}

/** Shard 3 lacks what was written last, and the two that have it are gone. */
function lagging(cluster: MemoryCluster): number {
  write(cluster, 'a', 'kept');
  cluster.run(1_000);
  cluster.kill(3);
  write(cluster, 'a', 'lost');
  const lost = revisionOf(write(cluster, 'b', 'lost'));
  cluster.kill(1);
  cluster.kill(2);
  cluster.start(3);
  cluster.run(2_000);
  expect(cluster.leaderOf(P)).toBe(0);
  return lost;
}

const ALONE = assignment({
  ...{ epoch: 2, replicas: [3], preferredLeader: 3 },
  recovery: { times: 1, epoch: 2, kept: [3] },
});

describe('a partition that lost its majority, and goes on because a person says so', () => {
  it('has what is left of it, and gives no revision twice', () => {
    const cluster = started();
    const lost = lagging(cluster);
    cluster.learn([ALONE]);
    cluster.until(() => cluster.leaderOf(P) === 3);
    const epoch = 2;
    const get = (key: string): string | null => textOf(answer(cluster, read(cluster, 3, key)));
    expect([get('a'), get('b')]).toEqual(['kept', null]);
    const written = answer(cluster, put(cluster, 'b', 'new', { epoch }));
    expect(revisionOf(written)).toBe(2 ** 40 + 1);
    expect(lost).toBeLessThan(2 ** 40);
    expect(get('b')).toBe('new');
    cluster.kill(3);
    cluster.start(3);
    cluster.until(() => cluster.leaderOf(P) === 3);
    expect(revisionOf(answer(cluster, put(cluster, 'c', 'new', { epoch })))).toBe(2 ** 40 + 2);
  });

  it('takes the most advanced of those that are left, and brings the others and newcomers to it', () => {
    const cluster = new MemoryCluster([1, 2, 3, 4], LIMITS, TIMINGS);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    write(cluster, 'a', 'one');
    cluster.run(1_000);
    cluster.kill(3);
    write(cluster, 'a', 'two');
    cluster.kill(1);
    cluster.start(3);
    const replicas = [2, 3];
    cluster.learn([
      assignment({
        epoch: 2,
        replicas,
        learners: [4],
        preferredLeader: 3,
        recovery: { times: 1, epoch: 2, kept: replicas },
      }),
    ]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    answer(cluster, put(cluster, 'b', 'new', { epoch: 2 }));
    cluster.until(() => converged(cluster, [2, 3, 4]));
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'a')))).toBe('two');
    const rows = cluster.storage(4).liveRows(P);
    expect(rows.get('a')?.revision).toBeLessThan(2 ** 40);
    expect(rows.get('b')?.revision).toBe(2 ** 40 + 1);
  });

  it('goes on beyond revisions that were lost after an earlier recovery, too', () => {
    const cluster = started();
    lagging(cluster);
    cluster.learn([{ ...ALONE, recovery: { times: 3, epoch: 2, kept: [3] } }]);
    cluster.until(() => cluster.leaderOf(P) === 3);
    expect(revisionOf(answer(cluster, put(cluster, 'b', 'new', { epoch: 2 })))).toBe(3 * 2 ** 40 + 1);
  });

  /** 3 to 5 are left of five; only 5 has what was written last. */
  function ofFive(rules: PaxosRules): MemoryCluster {
    const cluster = new MemoryCluster([1, 2, 3, 4, 5], LIMITS, TIMINGS, rules);
    cluster.learn([assignment({ replicas: [1, 2, 3, 4, 5] })]);
    cluster.until(() => cluster.leaderOf(P) === 1);
    write(cluster, 'a', 'one');
    cluster.run(1_000);
    for (const ordinal of [3, 4]) cluster.kill(ordinal);
    write(cluster, 'a', 'two');
    for (const ordinal of [1, 2, 5]) cluster.kill(ordinal);
    for (const ordinal of [3, 4]) cluster.start(ordinal);
    const kept = [3, 4, 5];
    const recovery = { times: 1, epoch: 2, kept };
    cluster.learn([assignment({ epoch: 2, replicas: kept, preferredLeader: 3, recovery })]);
    return cluster;
  }

  it('waits for all of those that are left, since one may have what no other has', () => {
    const cluster = ofFive(RULES);
    cluster.run(5_000);
    expect(cluster.leaderOf(P)).toBe(0);
    cluster.start(5);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'a')))).toBe('two');
  });

  it('RecoveredByMajority: would give up what one has that is left', () => {
    const cluster = ofFive({ ...RULES, electionQuorum: hasQuorum });
    cluster.until(() => cluster.leaderOf(P) !== 0);
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'a')))).toBe('one');
  });

  /** 3 goes on, with nothing; 4 comes back with what was committed in another history. */
  function withFormer(rules: PaxosRules): MemoryCluster {
    const cluster = new MemoryCluster([1, 2, 3, 4], LIMITS, TIMINGS, rules);
    cluster.learn([assignment({ replicas: [1, 2, 4] })]);
    cluster.until(() => cluster.leaderOf(P) === 1);
    write(cluster, 'former', 'lost');
    cluster.run(1_000);
    // With it 4 knows for ever that the one before is committed.
    write(cluster, 'later', 'lost');
    cluster.run(1_000);
    for (const ordinal of [1, 2, 4]) cluster.kill(ordinal);
    const recovery = { times: 1, epoch: 5, kept: [3] };
    cluster.learn([assignment({ epoch: 5, replicas: [3], preferredLeader: 3, recovery })]);
    cluster.until(() => cluster.leaderOf(P) === 3);
    answer(cluster, put(cluster, 'b', 'new', { epoch: 5 }));
    cluster.learn([assignment({ epoch: 6, replicas: [3], learners: [4], preferredLeader: 3, recovery })]);
    cluster.start(4);
    cluster.until(() => cluster.leaderOf(P) === 3);
    answer(cluster, put(cluster, 'c', 'new', { epoch: 6 }));
    cluster.until(() => cluster.storage(4).liveRows(P).has('c'));
    return cluster;
  }

  it('empties who comes back to it with what was committed before, and is not of those that are left', () => {
    const cluster = withFormer(RULES);
    cluster.until(() => converged(cluster, [3, 4]));
    expect([...cluster.storage(4).liveRows(P).keys()].sort()).toEqual(['b', 'c']);
  });

  it('KeepsOtherHistory: would let that stand beside what the others have', () => {
    const cluster = withFormer({ ...RULES, keepsThrough: () => true });
    cluster.run(2_000);
    expect(cluster.storage(4).liveRows(P).has('former')).toBe(true);
  });

  it('would give a revision that was lost to another write, without the rule', () => {
    const rules = { ...RULES, revisionAfter: () => 0 };
    const cluster = new MemoryCluster([1, 2, 3], LIMITS, TIMINGS, rules);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    const lost = lagging(cluster);
    cluster.learn([ALONE]);
    cluster.until(() => cluster.leaderOf(P) === 3);
    const again = [1, 2].map((i) => revisionOf(answer(cluster, put(cluster, `c${i}`, 'new', { epoch: 2 }))));
    expect(again).toContain(lost);
  });
});

/** Writes, kills and restarts at random, losses of a majority in between, and in the end what was found wrong; null: nothing. */
class Story {
  readonly #prng: Prng;
  readonly #cluster: MemoryCluster;
  #map = assignment();
  /** By revision, what was said to be written there. */
  readonly #written = new Map<number, string>();
  /** Since the last loss, by key. */
  readonly #present = new Map<string, string>();
  readonly #attempts = new Map<number, { readonly key: string; readonly value: string }>();
  readonly #down = new Set<number>();
  #values = 0;
  #wrong: string | null = null;

  constructor(seed: number, rules: PaxosRules) {
    this.#prng = seededPrng(seed);
    this.#cluster = new MemoryCluster([1, 2, 3, 4, 5], LIMITS, TIMINGS, rules);
    this.#cluster.learn([this.#map]);
  }

  tell(): string | null {
    this.#live(40);
    this.#lose();
    this.#live(20);
    this.#exchange(4);
    this.#live(20);
    this.#lose();
    this.#live(20);
    this.#exchange(5);
    this.#serves();
    this.#collect();
    // What was sent to one that was killed is never answered, and may be done.
    for (const { key } of this.#attempts.values()) this.#present.delete(key);
    for (const [key, value] of this.#present) this.#expect(key, value);
    const { replicas } = this.#map;
    this.#cluster.until(() => converged(this.#cluster, replicas));
    return this.#wrong;
  }

  #live(steps: number): void {
    for (let step = 0; step < steps; step++) {
      const of = this.#map.replicas[this.#prng.nextBelow(this.#map.replicas.length)]!;
      const act = this.#prng.nextBelow(8);
      if (act === 0 && this.#down.size === 0) this.#kill(of);
      else if (act === 1) this.#startAll();
      else this.#write();
      this.#cluster.run(1 + this.#prng.nextBelow(act === 2 ? 400 : 6));
      this.#collect();
    }
    this.#startAll();
    this.#serves();
    this.#collect();
  }

  #serves(): void {
    this.#cluster.until(() => this.#cluster.leaderOf(P) !== 0);
  }

  #write(): void {
    if (this.#cluster.leaderOf(P) === 0) return;
    const key = `k${this.#prng.nextBelow(4)}`;
    const value = `v${(this.#values += 1)}`;
    this.#attempts.set(put(this.#cluster, key, value, { epoch: this.#map.epoch }), { key, value });
  }

  #collect(): void {
    for (const [token, { key, value }] of this.#attempts) {
      const reply = this.#cluster.replies.get(token);
      if (reply === undefined) continue;
      this.#attempts.delete(token);
      // Whether it is done nobody knows: then it is not known either what the key has.
      if (reply.kind !== 'written') this.#present.delete(key);
      else {
        const before = this.#written.get(reply.revision);
        if (before !== undefined)
          this.#wrong ??= `revision ${reply.revision} is ${before} and ${key}=${value}`;
        this.#written.set(reply.revision, `${key}=${value}`);
        this.#present.set(key, value);
      }
    }
  }

  #kill(of: number): void {
    this.#cluster.kill(of);
    this.#down.add(of);
  }

  #startAll(): void {
    for (const of of this.#down) this.#cluster.start(of);
    this.#down.clear();
  }

  /** All replicas but one, for good. */
  #lose(): void {
    const { replicas, epoch, recovery } = this.#map;
    const left = replicas[this.#prng.nextBelow(replicas.length)]!;
    this.#kill(left);
    for (let i = 0; i < 6; i++) {
      this.#write();
      this.#cluster.run(40);
    }
    this.#collect();
    for (const one of replicas) if (one !== left) this.#cluster.kill(one);
    this.#startAll();
    this.#present.clear();
    this.#attempts.clear();
    const times = (recovery?.times ?? 0) + 1;
    this.#learn({
      ...{ epoch: epoch + 1, replicas: [left], preferredLeader: left },
      recovery: { times, epoch: epoch + 1, kept: [left] },
    });
    this.#serves();
  }

  /** Lets a newcomer in: copied, joint, settled. */
  #exchange(add: number): void {
    const { replicas } = this.#map;
    const isReported = (has: (report: ReturnType<typeof movesOf>[number]) => boolean): void => {
      this.#cluster.until(() =>
        movesOf(this.#cluster).some((report) => report.epoch === this.#map.epoch && has(report)),
      );
    };
    this.#learn({ epoch: this.#map.epoch + 1, learners: [add] });
    isReported(({ learners }) => learners.some(({ caughtUp }) => caughtUp));
    this.#learn({ epoch: this.#map.epoch + 1, learners: [], nextReplicas: [...replicas, add] });
    isReported(({ ready }) => ready);
    this.#learn({ epoch: this.#map.epoch + 1, nextReplicas: null, replicas: [...replicas, add] });
    this.#serves();
  }

  #learn(change: Partial<PartitionAssignment>): void {
    this.#map = { ...this.#map, ...change };
    this.#cluster.learn([this.#map]);
  }

  #expect(key: string, value: string): void {
    const found = textOf(answer(this.#cluster, read(this.#cluster, this.#cluster.leaderOf(P), key)));
    if (found !== value) this.#wrong ??= `${key} is ${found}, and ${value} was written`;
  }
}

function movesOf(cluster: MemoryCluster): ReturnType<ReturnType<MemoryCluster['shard']>['moves']> {
  const leader = cluster.leaderOf(P);
  return leader === 0 ? [] : cluster.shard(leader).moves();
}

describe('histories with losses of a majority, at random', () => {
  const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);

  it('give no revision to two writes, and lose nothing that was written since', () => {
    for (const seed of SEEDS) expect([seed, new Story(seed, RULES).tell()]).toEqual([seed, null]);
  });

  it('RecoveryRepeatsRevisions: are found wrong where revisions go on with what is left', () => {
    const rules = { ...RULES, revisionAfter: () => 0 };
    const found = SEEDS.map((seed) => new Story(seed, rules).tell());
    expect(found.find((wrong) => wrong?.startsWith('revision '))).toBeDefined();
  });
});
