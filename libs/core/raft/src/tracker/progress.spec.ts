import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { defaultLimits } from '../config.js';
import { Inflights } from './inflights.js';
import { Progress } from './progress.js';

const limits = { ...defaultLimits, inFlightAppendsMax: 3, inFlightBytesMax: 100 };
const newProgress = (next = 11): Progress => new Progress(2, next, limits);

describe('Inflights', () => {
  it('is bounded by number and by bytes, and always lets one through', () => {
    const window = new Inflights(3, 100);
    window.add(1, 1_000);
    expect(window.isFull).toBe(true);
    window.freeUpTo(1);
    for (const index of [2, 3, 4]) {
      expect(window.isFull).toBe(false);
      window.add(index, 10);
    }
    expect(window.isFull).toBe(true);
    window.freeUpTo(3);
    expect(window.count).toBe(1);
  });

  it('agrees with a list', () => {
    const random = seededPrng(3);
    const window = new Inflights(5, 50);
    let list: { index: number; bytes: number }[] = [];
    for (let index = 1; index < 2_000; index += 1) {
      const draw = random.nextBelow(3);
      if (draw < 2 && !window.isFull) {
        const bytes = random.nextBelow(20);
        window.add(index, bytes);
        list.push({ index, bytes });
      } else {
        const upTo = index - random.nextBelow(10);
        window.freeUpTo(upTo);
        list = list.filter((inflight) => inflight.index > upTo);
      }
      const bytes = list.reduce((sum, inflight) => sum + inflight.bytes, 0);
      expect([window.count, window.isFull]).toEqual([list.length, list.length >= 5 || bytes >= 50]);
    }
  });
});

describe('Progress', () => {
  it('probes with one Append until something is heard', () => {
    const progress = newProgress();
    expect(progress.isPaused).toBe(false);
    progress.sent(12, 10, 5);
    expect([progress.isPaused, progress.next]).toEqual([true, 11]);
    progress.matched(12);
    expect([progress.isPaused, progress.match, progress.next]).toEqual([false, 12, 13]);
  });

  it('pipelines in replicate, until the window is full', () => {
    const progress = newProgress();
    progress.matched(10);
    progress.becomeReplicate();
    for (const last of [11, 12, 13]) progress.sent(last, 10, 5);
    expect([progress.isPaused, progress.next]).toEqual([true, 14]);
    progress.matched(12);
    expect([progress.isPaused, progress.match, progress.next]).toEqual([false, 12, 14]);
  });

  it('goes back to probing where it is refused in replicate, and ignores refusals of what matches', () => {
    const progress = newProgress();
    progress.matched(10);
    progress.becomeReplicate();
    progress.sent(12, 10, 5);
    expect(progress.refused(10, 3, 20)).toBe(false);
    expect(progress.refused(12, 3, 20)).toBe(true);
    expect([progress.state, progress.next]).toEqual(['probe', 11]);
  });

  it('follows a hint in probe, never to before the match, and ignores answers to older probes', () => {
    const progress = newProgress();
    progress.matched(4);
    progress.becomeProbe(11);
    expect(progress.refused(9, 6, 20)).toBe(false);
    expect(progress.refused(10, 6, 20)).toBe(true);
    expect(progress.next).toBe(7);
    expect(progress.refused(6, 1, 20)).toBe(true);
    expect(progress.next).toBe(5);
  });

  it('gives up a match that is denied for long', () => {
    const progress = newProgress();
    progress.matched(10);
    progress.becomeReplicate();
    expect(progress.refused(10, 3, 2)).toBe(false);
    progress.ticksDenied = 2;
    expect(progress.refused(10, 3, 2)).toBe(true);
    expect([progress.state, progress.match, progress.next]).toEqual(['probe', 3, 4]);
    progress.refused(3, 3, 2);
    progress.matched(3);
    expect(progress.ticksDenied).toBe(null);
  });

  it('keeps 0 <= match < next, whatever comes', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const random = seededPrng(seed);
      const progress = newProgress(1 + random.nextBelow(30));
      for (let i = 0; i < 50; i += 1) {
        const index = random.nextBelow(30);
        const draw = random.nextBelow(6);
        if (draw === 0) progress.matched(index);
        else if (draw === 1) progress.refused(index, random.nextBelow(30), random.nextBelow(3));
        else if (draw === 2) progress.sent(progress.next + random.nextBelow(3), 10, index);
        else if (draw === 3) progress.becomeReplicate();
        else if (draw === 4) progress.becomeSnapshot();
        else progress.becomeProbe(index);
        expect(progress.match).toBeGreaterThanOrEqual(0);
        expect(progress.match).toBeLessThan(progress.next);
      }
    }
  });
});
