import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { pick } from '../test/random-commands.js';
import { type KeyRange, rangeContains } from './key-range.js';
import { WatcherIndex } from './watcher-index.js';

const KEYS = ['', 'a', 'a/1', 'a/2', 'b', 'b/\u{1f600}', 'b/\uff5e', 'c', 'd', '\u{10ffff}'];

describe('WatcherIndex', () => {
  it.each(Array.from({ length: 8 }, (_, i) => i + 1))(
    'finds whom a walk over all finds (seed %i)',
    (seed) => {
      const prng = seededPrng(seed);
      const index = new WatcherIndex<KeyRange>();
      const all = new Set<KeyRange>();
      for (let step = 0; step < 200; step++) {
        if (prng.nextBelow(5) < 3) {
          const watcher = { key: pick(prng, KEYS), rangeEnd: pick(prng, [null, ...KEYS]) };
          all.add(watcher);
          index.add(watcher);
          index.add(watcher);
        } else if (all.size > 0) {
          const watcher = pick(prng, [...all]);
          all.delete(watcher);
          expect([index.delete(watcher), index.delete(watcher)]).toEqual([true, false]);
        }
        expect(index.size).toBe(all.size);
        const key = pick(prng, KEYS);
        const found: KeyRange[] = [];
        index.visit(key, (watcher) => found.push(watcher));
        expect(new Set(found)).toEqual(new Set([...all].filter((watcher) => rangeContains(watcher, key))));
        expect(new Set(found).size).toBe(found.length);
      }
    },
  );

  it('costs what watches the key, not what watches others', () => {
    const index = new WatcherIndex<KeyRange>();
    const name = (i: number): string => String(i).padStart(6, '0');
    const count = 20_000;
    for (let i = 0; i < count; i++) index.add({ key: name(i), rangeEnd: name(i + 1) });
    const timed = (visits: number): number => {
      const startedAt = performance.now();
      let found = 0;
      for (let i = 0; i < visits; i++) index.visit(name((i * 7_919) % count), () => (found += 1));
      expect(found).toBe(visits);
      return performance.now() - startedAt;
    };
    timed(1_000);
    // Walks over all would take 100,000,000 steps.
    expect(timed(5_000)).toBeLessThan(1_000);
  });
});
