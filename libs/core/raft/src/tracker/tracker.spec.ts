import { describe, expect, it } from '@jest/globals';
import { type Prng, seededPrng } from '@ringleader/primitives';
import { defaultLimits } from '../config.js';
import { Tracker } from './tracker.js';

const IDS = [1, 2, 3, 4, 5, 6];

/** What is known of others, as a plain table. */
type Obvious = Map<number, { match: number; silent: number }>;

function follow(tracker: Tracker, obvious: Obvious, random: Prng): void {
  const members = IDS.filter(() => random.nextBelow(3) > 0);
  tracker.follow(members, 50);
  for (const id of obvious.keys()) if (!members.includes(id)) obvious.delete(id);
  for (const id of members) if (id !== 1 && !obvious.has(id)) obvious.set(id, { match: 0, silent: 0 });
}

function learn(tracker: Tracker, obvious: Obvious, random: Prng): void {
  const id = 1 + random.nextBelow(IDS.length);
  const known = obvious.get(id);
  const progress = tracker.of(id);
  expect(progress === null).toBe(known === undefined);
  if (progress === null || known === undefined) return;
  const match = random.nextBelow(50);
  progress.matched(match);
  known.match = Math.max(known.match, match);
  known.silent = progress.ticksSinceHeard = random.nextBelow(20);
}

describe('Tracker', () => {
  it('keeps what it knows of those that stay, forgets those that go, and begins anew with those that come back', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const random = seededPrng(seed);
      const tracker = new Tracker(1, defaultLimits);
      const obvious: Obvious = new Map();
      for (let step = 0; step < 100; step += 1) {
        if (random.nextBelow(3) === 0) follow(tracker, obvious, random);
        else learn(tracker, obvious, random);
        const matches = IDS.map((id) => (id === 1 ? 40 : (obvious.get(id)?.match ?? 0)));
        expect(IDS.map((id) => tracker.matchOf(id, 40))).toEqual(matches);
        const heard = [...obvious].filter(([, { silent }]) => silent < 10).map(([id]) => id);
        expect([...tracker.heardWithin(10).keys()].sort()).toEqual([1, ...heard].sort());
      }
    }
  });
});
