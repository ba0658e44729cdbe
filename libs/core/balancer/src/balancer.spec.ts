import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import fc from 'fast-check';
import { BALANCER_STRATEGIES, createBalancer, type Balancer, type Candidate } from './index.js';

const known = JSON.parse(
  readFileSync(new URL('../../../testing/fixtures/known-answers/swrr.json', import.meta.url), 'utf8'),
) as { weights_to_sequence: Record<string, string> };

const candidate = (id: string, weight = 1, suspect = false): Candidate => ({ id, weight, suspect });

function countPicks(balancer: Balancer, candidates: readonly Candidate[], picks: number): number[] {
  const counts = new Map(candidates.map(({ id }) => [id, 0]));
  for (let i = 0; i < picks; i++) {
    const { id } = balancer.pick(candidates)!;
    counts.set(id, counts.get(id)! + 1);
  }
  return [...counts.values()];
}

describe.each(BALANCER_STRATEGIES)('%s', (strategy) => {
  const create = (seed = 1): Balancer => createBalancer(strategy, seededPrng(seed));

  it('picks nobody from nobody', () => {
    expect(create().pick([])).toBeUndefined();
  });

  it('never picks a suspect while there is another, and picks one when there is not', () => {
    const lists = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(lists, { minLength: 1, maxLength: 20 }), fc.integer(), (rounds, seed) => {
        const balancer = create(seed);
        for (const suspects of rounds) {
          const candidates = suspects.map((suspect, i) => candidate(`c${i}`, i + 1, suspect));
          expect(balancer.pick(candidates)!.suspect).toBe(suspects.every(Boolean));
        }
      }),
    );
  });

  it('is fixed by its seed', () => {
    const candidates = ['a', 'b', 'c'].map((id) => candidate(id, 2));
    const sequence = (): unknown[] => {
      const balancer = create(7);
      return Array.from({ length: 50 }, () => balancer.pick(candidates)!.id);
    };
    expect(sequence()).toEqual(sequence());
  });

  it('gives everyone of equal weight an equal part', () => {
    const counts = countPicks(
      create(),
      ['a', 'b', 'c', 'd'].map((id) => candidate(id)),
      8000,
    );
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(150);
  });
});

describe('round-robin', () => {
  it('takes turns', () => {
    const balancer = createBalancer('round-robin', seededPrng(1));
    const candidates = ['a', 'b', 'c'].map((id) => candidate(id));
    expect(Array.from({ length: 7 }, () => balancer.pick(candidates)!.id).join('')).toBe('abcabca');
  });

  it('stays even over lists that change with every request', () => {
    const balancer = createBalancer('round-robin', seededPrng(1));
    const prng = seededPrng(2);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 6000; i++) {
      const first = prng.nextBelow(6);
      const list = [0, 1, 2].map((step) => ({ id: (first + step) % 6, weight: 1, suspect: false }));
      counts[balancer.pick(list)!.id]! += 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(30);
  });

  it('sends no burst to one that was away', () => {
    const balancer = createBalancer('round-robin', seededPrng(1));
    for (let i = 0; i < 100; i++) balancer.pick([candidate('a'), candidate('b')]);
    const picks = countPicks(
      balancer,
      ['a', 'b', 'c'].map((id) => candidate(id)),
      30,
    );
    expect(picks).toEqual([10, 10, 10]);
  });
});

describe('weighted-random', () => {
  it('picks in proportion to the weights', () => {
    const balancer = createBalancer('weighted-random', seededPrng(3));
    const [light, heavy] = countPicks(balancer, [candidate('a', 1), candidate('b', 3)], 20_000);
    expect(heavy! / light!).toBeCloseTo(3, 0);
  });
});

describe('smooth-weighted-round-robin', () => {
  it.each(Object.entries(known.weights_to_sequence))(
    'of %s is the sequence of nginx',
    (weights, sequence) => {
      const candidates = weights.split(',').map((weight, i) => candidate('abcdef'[i]!, Number(weight)));
      const balancer = createBalancer('smooth-weighted-round-robin', seededPrng(1));
      const picked = Array.from(sequence, () => balancer.pick(candidates)!.id).join('');
      expect(picked).toBe(sequence);
    },
  );
});
