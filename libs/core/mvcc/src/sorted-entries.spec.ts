/** Against the obvious way: an array that is sorted anew. With enough keys that chunks are split, merged and left behind. */
import { describe, expect, it } from '@jest/globals';
import { type Prng, compareKeys, seededPrng } from '@ringleader/primitives';
import type { KeyRange } from './key-range.js';
import { tombstone } from './key-values.js';
import { type Entry, SortedEntries, isLiveNow } from './sorted-entries.js';

const NAMES = 6_000;

const live = (key: string): Entry => {
  return {
    key,
    states: [{ key, packed: '', createRevision: 1, modRevision: 1, version: 1, lease: 0 }],
  };
};

/** Adds, deletes and drops entries at random; gives back what is there. */
function disturb(sorted: SortedEntries, known: Map<string, Entry>, prng: Prng, rounds: number): void {
  const name = (): string => `k/${String(prng.nextBelow(NAMES)).padStart(4, '0')}`;
  for (let round = 0; round < rounds; round++) {
    const key = name();
    const entry = known.get(key);
    if (entry === undefined) {
      known.set(key, live(key));
      sorted.add(known.get(key) as Entry);
    } else if (isLiveNow(entry) && prng.nextBelow(3) === 0) {
      entry.states.push(tombstone(key, round + 2));
      sorted.countLive(key, -1);
    }
  }
}

function drop(sorted: SortedEntries, known: Map<string, Entry>, one: (entry: Entry) => Entry | null): void {
  const replacements = new Map<string, Entry | null>();
  for (const [key, entry] of known) {
    const replacement = one(entry);
    if (replacement === entry) continue;
    replacements.set(key, replacement);
    if (replacement === null) known.delete(key);
    else known.set(key, replacement);
  }
  sorted.replace(replacements);
}

describe('SortedEntries', () => {
  it.each([1, 2, 3, 4])('have what an array would have (seed %i)', (seed) => {
    const prng = seededPrng(seed);
    const sorted = new SortedEntries();
    const known = new Map<string, Entry>();
    const bound = (): string => `k/${String(prng.nextBelow(NAMES)).padStart(4, '0')}`;
    for (let round = 0; round < 12; round++) {
      disturb(sorted, known, prng, 3_000);
      const all = [...known.values()].sort((a, b) => compareKeys(a.key, b.key));
      expect(sorted.size).toBe(all.length);
      expect([...sorted.capture()]).toEqual(all);
      for (const range of [
        { key: bound(), rangeEnd: bound() },
        { key: bound(), rangeEnd: '' },
        { key: '', rangeEnd: bound() },
        { key: '', rangeEnd: '' },
        { key: 'z', rangeEnd: '' },
        { key: '', rangeEnd: 'a' },
      ]) {
        const expected = all.filter(
          ({ key }) => key >= range.key && (range.rangeEnd === '' || key < range.rangeEnd),
        );
        expect([...sorted.within(range)]).toEqual(expected);
        expect([...sorted.withinDescending(range)]).toEqual([...expected].reverse());
        expect(sorted.countWithin(range.key, range.rangeEnd)).toEqual({
          all: expected.length,
          live: expected.filter(isLiveNow).length,
        });
      }
      const first: KeyRange = { key: all[0]?.key ?? '', rangeEnd: null };
      expect([...sorted.within(first)]).toEqual(all.slice(0, 1));
      drop(sorted, known, (entry) => {
        const draw = prng.nextBelow(10);
        if (!isLiveNow(entry)) return draw < 8 ? null : entry;
        return draw < 2 ? { key: entry.key, states: entry.states.slice(-1) } : entry;
      });
    }
    drop(sorted, known, () => null);
    expect([sorted.size, ...sorted.capture()]).toEqual([0]);
  });

  it('can be read as they are at one time, whatever becomes of them meanwhile', () => {
    const prng = seededPrng(5);
    const sorted = new SortedEntries();
    const known = new Map<string, Entry>();
    disturb(sorted, known, prng, 4_000);
    const then = [...sorted.capture()];
    const reading = sorted.capture();
    const seen: Entry[] = [];
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 300; i++) {
        const { value, done } = reading.next();
        if (done !== true) seen.push(value);
      }
      disturb(sorted, known, prng, 1_000);
      drop(sorted, known, (entry) => (isLiveNow(entry) ? entry : null));
    }
    seen.push(...reading);
    const old = new Set(then);
    expect(seen.filter((entry) => old.has(entry))).toEqual(then);
    expect(seen.map(({ key }) => key)).toEqual([...seen.map(({ key }) => key)].sort(compareKeys));
  });

  it('keep their chunks few when most keys are gone', () => {
    const sorted = new SortedEntries();
    const known = new Map<string, Entry>();
    for (let i = 0; i < 20_000; i++) known.set(`${100_000 + i}`, live(`${100_000 + i}`));
    for (const entry of known.values()) sorted.add(entry);
    drop(sorted, known, (entry) => (entry.key.endsWith('00') ? entry : null));
    expect(sorted.size).toBe(200);
    expect(sorted.chunkCount).toBeLessThanOrEqual(2);
  });
});
