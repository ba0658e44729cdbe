import { expect, it } from '@jest/globals';
import { Isolation } from './isolation.js';

/** Calls four times a second, from one time to the other, and when another server was to be tried. */
function callsBetween(isolation: Isolation, fromMs: number, toMs: number): number[] {
  const times: number[] = [];
  for (let ms = fromMs; ms < toMs; ms += 250) if (isolation.unservedAt(ms)) times.push(ms);
  return times;
}

it('tries other servers ever more rarely while no call has a responder', () => {
  const isolation = new Isolation();
  expect(callsBetween(isolation, 0, 40_000)).toEqual([5_000, 15_250, 35_500]);
  isolation.served();
  expect(callsBetween(isolation, 40_000, 46_000)).toEqual([45_000]);
});

it('stays while somebody is heard, and tries the next server no sooner than before when nobody is any more', () => {
  const isolation = new Isolation();
  expect(callsBetween(isolation, 0, 5_250)).toEqual([5_000]);
  for (let ms = 6_000; ms < 60_000; ms += 3_000) {
    isolation.heard();
    expect(callsBetween(isolation, ms, ms + 3_000)).toEqual([]);
  }
  isolation.heard();
  expect(callsBetween(isolation, 60_000, 75_000)).toEqual([70_000]);
});

it('does not go by a few calls, however long they took', () => {
  const isolation = new Isolation();
  const calls = [0, 10_000, 20_000, 30_000, 40_000].map((ms) => isolation.unservedAt(ms));
  expect(calls).toEqual([false, false, false, false, true]);
});
