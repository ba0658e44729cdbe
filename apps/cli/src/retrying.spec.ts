import { describe, expect, it } from '@jest/globals';
import { Patience } from './retrying.js';

describe('Patience', () => {
  it.each([3_600_000, 2 ** 40])(
    'tries once more before it gives up, where it is told to wait for longer: %i ms',
    async (retryAfterMs) => {
      const giveUpMs = 1_000;
      const startedAt = performance.now();
      const patience = new Patience(giveUpMs, new AbortController().signal);
      let tries = 0;
      while (await patience.wait(retryAfterMs)) tries += 1;
      expect(performance.now() - startedAt).toBeGreaterThan(giveUpMs - 1);
      expect(tries).toBeGreaterThan(0);
      expect(tries).toBeLessThan(10);
    },
  );
});
