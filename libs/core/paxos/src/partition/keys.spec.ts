import { describe, expect, it } from '@jest/globals';
import { leastEnd } from './keys.js';

describe('leastEnd', () => {
  it('takes null as no end', () => {
    expect(leastEnd(null, 'b')).toBe('b');
    expect(leastEnd('b', 'a')).toBe('a');
    expect(leastEnd(null, null)).toBe(null);
  });
});
