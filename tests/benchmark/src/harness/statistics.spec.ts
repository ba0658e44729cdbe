import { describe, expect, it } from '@jest/globals';
import { interleaved, percentile, ratioOf, spreadOf } from './statistics.js';

describe('spreadOf', () => {
  it('takes the middle, and of an even number the mean of the two in the middle', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
    expect(spreadOf([9, 1, 5, 7])).toEqual({ median: 6, min: 1, max: 9 });
    expect(spreadOf([3])).toEqual({ median: 3, min: 3, max: 3 });
  });

  it('leaves out rounds without a value', () => {
    expect(spreadOf([Number.NaN, 4, 2])).toEqual({ median: 3, min: 2, max: 4 });
    expect(spreadOf([]).median).toBeNaN();
    expect(spreadOf([Number.NaN]).max).toBeNaN();
  });
});

describe('ratioOf', () => {
  it('compares within each round', () => {
    // The second round was disturbed on both sides: the ratio of medians would be 1.5.
    expect(ratioOf([20, 2, 30], [10, 1, 20])).toEqual({ median: 2, min: 1.5, max: 2 });
    expect(ratioOf([20, 30], [10]).median).toBe(2);
  });
});

describe('percentile', () => {
  it('takes the nearest rank', () => {
    const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([percentile(sorted, 0.5), percentile(sorted, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7]);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('interleaved', () => {
  it('turns the order round each time', () => {
    const rounds = [0, 1, 2].map((round) => interleaved(['A', 'B', 'C'], round).join(''));
    expect(rounds).toEqual(['ABC', 'CBA', 'ABC']);
  });
});
