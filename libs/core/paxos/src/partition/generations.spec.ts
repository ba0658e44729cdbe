import { describe, expect, it } from '@jest/globals';
import { generationsOf, lifeOf } from './generations.js';

describe('generationsOf', () => {
  it('gives no number twice, and ends before the numbers of the next incarnation begin', () => {
    const next = generationsOf(7);
    let last = 7 * 65_536;
    for (let index = 0; index < 65_536; index += 1) {
      const generation = next();
      if (generation !== last + 1) throw new Error(`${generation} after ${last}`);
      if (lifeOf(generation) !== 7) throw new Error(`${generation} is of another life`);
      last = generation;
    }
    const following = generationsOf(8)();
    expect(last).toBeLessThan(following);
    expect(lifeOf(following)).toBe(8);
    expect(next).toThrow('65,537th');
  });
});
