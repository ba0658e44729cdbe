import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { togetherEvery } from './together-every.js';

describe('what is done together', () => {
  const done: number[] = [];
  let end: () => void;

  beforeEach(() => {
    done.length = 0;
    jest.useFakeTimers({ now: 1_000_130 });
    end = togetherEvery(250, () => done.push(Date.now()));
  });
  afterEach(() => {
    end();
    jest.useRealTimers();
  });

  it('is done at multiples of the interval, whenever it was begun', () => {
    jest.advanceTimersByTime(900);
    expect(done).toEqual([1_000_250, 1_000_500, 1_000_750, 1_001_000]);
  });

  it('goes by the wall clock, where that is set', () => {
    jest.advanceTimersByTime(120);
    jest.setSystemTime(2_000_100);
    jest.advanceTimersByTime(600);
    expect(done).toEqual([1_000_250, 2_000_350, 2_000_500]);
  });

  it('leaves a pause after one that came late, and is late by no more than a quarter for it', () => {
    jest.advanceTimersByTime(119);
    jest.setSystemTime(1_000_450);
    jest.advanceTimersByTime(1);
    expect(done).toEqual([1_000_451]);
    jest.advanceTimersByTime(400);
    expect(done).toEqual([1_000_451, 1_000_750]);
  });

  it('tells how late it is', () => {
    end();
    const lates: number[] = [];
    end = togetherEvery(250, (lateMs) => lates.push(lateMs));
    jest.advanceTimersByTime(120);
    const { now } = performance;
    const late = jest.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 70);
    jest.advanceTimersByTime(250);
    late.mockRestore();
    expect(lates).toEqual([0, 70]);
  });

  it('ends', () => {
    end();
    jest.advanceTimersByTime(1_000);
    expect(done).toEqual([]);
  });
});
