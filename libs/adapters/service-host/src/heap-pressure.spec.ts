import { describe, expect, it } from '@jest/globals';
import { HeapWatch } from './heap-pressure.js';

/** A heap of 1,000 bytes. */
function heapOf(): {
  watch: HeapWatch;
  collected: (used: number) => void;
  pass: (ms: number) => void;
  asked: () => number;
} {
  let [used, now, asked] = [0, 0, 0];
  let listener = (): void => undefined;
  const heap = {
    onCollected: (told: () => void) => {
      listener = told;
    },
    usedBytes: () => used,
    limitBytes: 1_000,
    collect: () => {
      asked += 1;
    },
  };
  return {
    watch: new HeapWatch(heap, () => now),
    collected: (left) => {
      used = left;
      listener();
    },
    pass: (ms) => {
      now += ms;
    },
    asked: () => asked,
  };
}

describe('HeapWatch', () => {
  it('goes by what a full collection leaves, and ends with one that frees enough', () => {
    const { watch, collected } = heapOf();
    expect(watch.isHigh()).toBe(false);
    collected(699);
    expect(watch.isHigh()).toBe(false);
    collected(701);
    expect(watch.isHigh()).toBe(true);
    collected(500);
    expect(watch.isHigh()).toBe(false);
  });

  it('asks for a collection once a second while it is high, so that it does not stay so for want of work', () => {
    const { watch, collected, pass, asked } = heapOf();
    watch.isHigh();
    expect(asked()).toBe(0);
    collected(900);
    for (let i = 0; i < 5; i += 1) watch.isHigh();
    expect(asked()).toBe(1);
    pass(1_000);
    watch.isHigh();
    expect(asked()).toBe(2);
  });
});
