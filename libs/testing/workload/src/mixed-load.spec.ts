import { describe, expect, it } from '@jest/globals';
import { MixedLoad } from './mixed-load.js';
import type { RecordedOutcome } from './recorded-operation.js';
import { RestClient } from './rest-client.js';

const DONE: RecordedOutcome = { kind: 'deleted' };
const REFUSED: RecordedOutcome = { kind: 'refused', code: 'UNAVAILABLE' };

describe('MixedLoad', () => {
  it('tells how long the one who waited longest was without an acknowledged operation', async () => {
    const client = new RestClient('http://127.0.0.1:1', 1);
    const load = new MixedLoad({ client, seed: 1, processes: 2, keys: ['k'], timeoutMs: 1, thinkTimeMs: 1 });
    const answered = (process: number, completedAtMs: number, outcome: RecordedOutcome): void => {
      const request = { kind: 'delete', condition: null } as const;
      load.operations.push({ process, key: 'k', request, outcome, invokedAtMs: 0, completedAtMs });
    };
    answered(0, 100, DONE);
    answered(1, 200, DONE);
    answered(0, 900, DONE);
    answered(1, 1_000, REFUSED);
    answered(1, 1_300, DONE);
    answered(0, 1_400, DONE);
    expect(load.longestSilenceMs(150)).toBe(1_100);
    expect(load.longestSilenceMs(850)).toBe(500);
    await client.close();
  });
});
