import { readFileSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { xxh64 } from '@ringleader/hash-ring';
import { seededPrng } from '@ringleader/primitives';
import fc from 'fast-check';
import {
  BALANCER_STRATEGIES,
  TargetLoads,
  createBalancer,
  type Balancer,
  type BalancerStrategy,
  type Candidate,
} from './index.js';

const known = JSON.parse(
  readFileSync(new URL('../../../testing/fixtures/known-answers/swrr.json', import.meta.url), 'utf8'),
) as { weights_to_sequence: Record<string, string> };

const candidate = (id: string, weight = 1, suspect = false, ramp = 1): Candidate => ({
  ...{ id, weight, suspect, ramp },
});
const alike = (...ids: string[]): Candidate[] => ids.map((id) => candidate(id));

/** The n-th request is like no other. */
const asked = (n: number, now = 0): { now: number; hash: number } => ({
  now,
  hash: Number(BigInt.asUintN(32, xxh64(`key-${n}`))),
});

const create = (strategy: BalancerStrategy, seed = 1, loads = new TargetLoads()): Balancer =>
  createBalancer(strategy, { prng: seededPrng(seed), loads });

function countPicks(balancer: Balancer, candidates: readonly Candidate[], picks: number): number[] {
  const counts = new Map(candidates.map(({ id }) => [id, 0]));
  for (let i = 0; i < picks; i++) {
    const { id } = balancer.pick(candidates, asked(i))!;
    counts.set(id, counts.get(id)! + 1);
  }
  return [...counts.values()];
}

/** How far the counts are from these shares, at most, as a part of the share. */
function deviation(counts: readonly number[], shares: readonly number[]): number {
  const [total, parts] = [counts, shares].map((list) => list.reduce((sum, each) => sum + each, 0));
  const errors = counts.map((count, i) => Math.abs(count / total! / (shares[i]! / parts!) - 1));
  return Math.max(...errors);
}

describe.each(BALANCER_STRATEGIES)('%s', (strategy) => {
  it('picks nobody from nobody', () => {
    expect(create(strategy).pick([], asked(1))).toBeUndefined();
  });

  it('never picks a suspect while there is another, and picks one when there is not', () => {
    const lists = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(lists, { minLength: 1, maxLength: 20 }), fc.integer(), (rounds, seed) => {
        const balancer = create(strategy, seed);
        rounds.forEach((suspects, n) => {
          const candidates = suspects.map((suspect, i) => candidate(`c${i}`, i + 1, suspect));
          expect(balancer.pick(candidates, asked(n))!.suspect).toBe(suspects.every(Boolean));
        });
      }),
    );
  });

  it('is fixed by its seed', () => {
    const candidates = alike('a', 'b', 'c');
    const sequence = (): unknown[] => {
      const balancer = create(strategy, 7);
      return Array.from({ length: 50 }, (_, i) => balancer.pick(candidates, asked(i))!.id);
    };
    expect(sequence()).toEqual(sequence());
  });

  it('gives everyone of equal weight an equal part', () => {
    const counts = countPicks(create(strategy), alike('a', 'b', 'c', 'd'), 8_000);
    // So evenly the points of a ring lie, and no more.
    expect(deviation(counts, [1, 1, 1, 1])).toBeLessThan(strategy === 'ring-hash' ? 0.2 : 0.08);
  });

  it('gives one that is brought back a part of its share, in proportion', () => {
    for (const ramp of [0.1, 0.25, 0.5]) {
      const counts = countPicks(
        create(strategy),
        [...alike('a', 'b', 'c'), candidate('d', 1, false, ramp)],
        20_000,
      );
      const share = counts[3]! / 20_000;
      // A tenth of a target has thirteen points on a ring.
      const error = strategy === 'ring-hash' ? 0.6 : 0.4;
      expect(Math.abs(share / (ramp / (3 + ramp)) - 1)).toBeLessThan(error);
    }
  });
});

describe('round-robin', () => {
  it('takes turns', () => {
    const balancer = create('round-robin');
    const candidates = alike('a', 'b', 'c');
    expect(Array.from({ length: 7 }, () => balancer.pick(candidates, asked(1))!.id).join('')).toBe('abcabca');
  });

  it('stays even over lists that change with every request', () => {
    const balancer = create('round-robin');
    const prng = seededPrng(2);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 6000; i++) {
      const first = prng.nextBelow(6);
      const list = [0, 1, 2].map((step) => ({ id: (first + step) % 6, weight: 1, suspect: false, ramp: 1 }));
      counts[balancer.pick(list, asked(i))!.id]! += 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(30);
  });

  it('sends no burst to one that was away', () => {
    const balancer = create('round-robin');
    for (let i = 0; i < 100; i++) balancer.pick(alike('a', 'b'), asked(i));
    expect(countPicks(balancer, alike('a', 'b', 'c'), 30)).toEqual([10, 10, 10]);
  });
});

describe.each([
  'weighted-random',
  'smooth-weighted-round-robin',
  'power-of-two-choices',
  'ring-hash',
] as const)('%s', (strategy) => {
  it('picks in proportion to the weights', () => {
    const weights = [1, 2, 4];
    const candidates = weights.map((weight) => candidate(`w${weight}`, weight));
    const counts = countPicks(create(strategy), candidates, 30_000);
    // Two choices without load: the heaviest is in nearly all pairs, and wins half of them.
    if (strategy === 'power-of-two-choices')
      expect(counts[0]! < counts[1]! && counts[1]! < counts[2]!).toBe(true);
    else expect(deviation(counts, weights)).toBeLessThan(strategy === 'ring-hash' ? 0.25 : 0.05);
  });
});

describe('smooth-weighted-round-robin', () => {
  it.each(Object.entries(known.weights_to_sequence))(
    'of %s is the sequence of nginx',
    (weights, sequence) => {
      const candidates = weights.split(',').map((weight, i) => candidate('abcdef'[i]!, Number(weight)));
      const balancer = create('smooth-weighted-round-robin');
      const picked = Array.from(sequence, () => balancer.pick(candidates, asked(1))!.id).join('');
      expect(picked).toBe(sequence);
    },
  );
});

/** As many balls as bins, thrown one by one and never taken out: the greatest number in one bin. */
function greatestLoad(strategy: BalancerStrategy, bins: number, seed: number): number {
  const loads = new TargetLoads();
  const balancer = create(strategy, seed, loads);
  const candidates = Array.from({ length: bins }, (_, i) => candidate(`bin-${i}`));
  for (let ball = 0; ball < bins; ball++) loads.began(balancer.pick(candidates, asked(ball))!.id, 0);
  return Math.max(...candidates.map(({ id }) => loads.inFlight(id)));
}

describe('power-of-two-choices', () => {
  it('keeps the greatest load at about log log n, where random choice has log n / log log n', () => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const mean = (strategy: BalancerStrategy): number =>
      seeds.reduce((sum, seed) => sum + greatestLoad(strategy, 500, seed), 0) / seeds.length;
    // ln ln 500 / ln 2 + O(1), and ln 500 / ln ln 500 (1 + o(1)).
    expect(mean('power-of-two-choices')).toBeLessThanOrEqual(3.2);
    expect(mean('random')).toBeGreaterThanOrEqual(4);
  });

  it('fills targets in proportion to their weights', () => {
    const loads = new TargetLoads();
    const balancer = create('power-of-two-choices', 1, loads);
    const candidates = [1, 2, 4].map((weight) => candidate(`w${weight}`, weight));
    for (let i = 0; i < 7_000; i++) loads.began(balancer.pick(candidates, asked(i))!.id, 0);
    const counts = candidates.map(({ id }) => loads.inFlight(id));
    expect(deviation(counts, [1, 2, 4])).toBeLessThan(0.05);
  });

  it('leaves one that answers slowly alone, and comes back to it in time', () => {
    const loads = new TargetLoads();
    const balancer = create('power-of-two-choices', 1, loads);
    const slow = (now: number): boolean => now < 1_000;
    const picked: { id: unknown; now: number }[] = [];
    for (let now = 0; now < 90_000; now += 10) {
      const { id } = balancer.pick(alike('a', 'b', 'c'), asked(now, now))!;
      picked.push({ id, now });
      loads.began(id, now);
      loads.ended(id, now - (id === 'c' && slow(now) ? 200 : 2), now);
    }
    const times = picked.filter(({ id }) => id === 'c').map(({ now }) => now);
    expect(times.filter((now) => now < 1_000)).toHaveLength(1);
    const back = times.find((now) => now >= 1_000)!;
    // ln(200 / 2) times the 10 s of the average.
    expect(back).toBeGreaterThan(30_000);
    expect(back).toBeLessThan(60_000);
    expect(times.filter((now) => now >= back).length / ((90_000 - back) / 10)).toBeGreaterThan(0.25);
  });

  it('sends nothing to one that stands still, before anything has timed out', () => {
    const loads = new TargetLoads();
    const balancer = create('power-of-two-choices', 1, loads);
    for (const id of ['a', 'b', 'c']) {
      loads.began(id, 0);
      loads.ended(id, 0, 2);
    }
    let sentToSilent = 0;
    for (let now = 10; now < 500; now += 1) {
      const { id } = balancer.pick(alike('a', 'b', 'c'), asked(now, now))!;
      loads.began(id, now);
      if (id === 'c') sentToSilent += 1;
      else loads.ended(id, now - 2, now);
    }
    expect(sentToSilent).toBeLessThanOrEqual(3);
  });
});

describe('ring-hash', () => {
  const owners = (candidates: readonly Candidate[], requests = 10_000): unknown[] => {
    const balancer = create('ring-hash');
    return Array.from({ length: requests }, (_, i) => balancer.pick(candidates, asked(i))!.id);
  };
  const moved = (before: readonly unknown[], after: readonly unknown[]): unknown[] =>
    before.filter((owner, i) => owner !== after[i]);

  it('sends equal requests to the same target', () => {
    const candidates = alike('a', 'b', 'c');
    expect(owners(candidates)).toEqual(owners([...candidates].reverse()));
  });

  it('goes clockwise to the nearest point, from the end of the circle to its beginning', () => {
    const ids = ['a', 'b', 'c'];
    const points = ids.flatMap((id) =>
      Array.from({ length: 128 }, (_, i) => ({
        ...{ id, at: Number(BigInt.asUintN(32, xxh64(`${id}#${i}`))) },
      })),
    );
    points.sort((a, b) => a.at - b.at);
    const balancer = create('ring-hash');
    const ownerOf = (hash: number): unknown => balancer.pick(alike(...ids), { now: 0, hash })!.id;
    const around = points.flatMap(({ at }, i) => [
      [ownerOf(at), points[i]!.id],
      [ownerOf((at + 1) % 2 ** 32), points[(i + 1) % points.length]!.id],
    ]);
    expect(around.map(([owner]) => owner)).toEqual(around.map(([, expected]) => expected));
    expect([0, 2 ** 32 - 1].map(ownerOf)).toEqual([points[0]!.id, points[0]!.id]);
  });

  it('moves only what one that goes had, and only to one that comes', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 3, maxLength: 7 });
    fc.assert(
      fc.property(ids, ([gone, ...rest]) => {
        const [all, others] = [owners(alike(gone!, ...rest), 2_000), owners(alike(...rest), 2_000)];
        expect(moved(all, others).every((owner) => owner === gone)).toBe(true);
        expect(moved(others, all)).toHaveLength(all.filter((owner) => owner === gone).length);
      }),
      { numRuns: 20 },
    );
  });

  it('gives a target that becomes heavier more, and takes nothing else from anybody', () => {
    const before = owners([...alike('a', 'b'), candidate('c', 1)]);
    const after = owners([...alike('a', 'b'), candidate('c', 2)]);
    expect(after.every((owner, i) => owner === before[i] || owner === 'c')).toBe(true);
  });

  it.each([0.001, 0.01, 0.1, 30, 100, 1_000])('knows weights in relation only: times %d', (times) => {
    const weights = [1, 2, 4].map((weight) => weight * times);
    const candidates = weights.map((weight) => candidate(`w${weight}`, weight));
    const counts = countPicks(create('ring-hash'), candidates, 30_000);
    expect(deviation(counts, [1, 2, 4])).toBeLessThan(0.3);
  });

  it('sends equal requests to the same target from the start of a gateway on, to which all are new', () => {
    const at = (ramp: number): unknown[] => owners(alike('a', 'b', 'c').map((one) => ({ ...one, ramp })));
    expect([at(0.1), at(0.55)]).toEqual([at(1), at(1)]);
  });

  it('makes no points anew while a share grows', () => {
    const made = jest.spyOn(Float64Array, 'from');
    const balancer = create('ring-hash');
    for (let now = 0; now <= 1_000; now += 1) {
      const ramp = Math.max(0.1, now / 1_000);
      balancer.pick([{ ...candidate('a', 100), ramp }, candidate('b', 100)], asked(now, now));
    }
    // The other one, and this one at a tenth and at each doubling of that.
    expect(made).toHaveBeenCalledTimes(1 + 4);
    made.mockRestore();
  });

  it('passes by whoever has more than its part under way', () => {
    const loads = new TargetLoads();
    const balancer = create('ring-hash', 1, loads);
    const candidates = alike('a', 'b', 'c');
    // All for the same key.
    for (let i = 0; i < 300; i++) loads.began(balancer.pick(candidates, asked(7))!.id, 0);
    const counts = candidates.map(({ id }) => loads.inFlight(id));
    expect(Math.max(...counts)).toBe(Math.ceil(1.25 * 100));
  });
});
