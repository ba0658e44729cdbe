import { expect, it } from '@jest/globals';
import { bytes, duration } from './units.js';

it.each([
  [0, '0 B', '0 s'],
  [999, '999 B', '1 s'],
  [1_000, '1.00 kB', '1 s'],
  [123_456, '123 kB', '2 min'],
  [5_400_000, '5.40 MB', '1.5 h'],
])('%i is %s, or %s', (amount, size, time) => {
  expect([bytes(amount), duration(amount)]).toEqual([size, time]);
});
