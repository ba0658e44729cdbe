import { describe, expect, it } from '@jest/globals';
import { buildRing } from '@ringleader/hash-ring';
import fc from 'fast-check';
import { Rings } from './rings.js';

describe('Rings', () => {
  it('walks as a new ring of just these members would, whoever was there before', () => {
    const members = fc.uniqueArray(
      fc.record({ id: fc.constantFrom(...'abcdefgh'), weight: fc.constantFrom(0.02, 0.05) }),
      { minLength: 1, maxLength: 8, selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(
        fc.array(members, { minLength: 1, maxLength: 6 }),
        fc.bigInt(0n, 2n ** 64n - 1n),
        (lists, from) => {
          const rings = new Rings();
          for (const list of lists) {
            expect([...rings.walker(list)(from)]).toEqual([...buildRing(list).walk(from)]);
          }
        },
      ),
    );
  });
});
