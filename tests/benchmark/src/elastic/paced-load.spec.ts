import { describe, expect, it } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import type { RestAnswer } from '@ringleader/testing-workload';
import { PacedLoad } from './paced-load.js';

const WAIT = { timeoutMs: 30_000, everyMs: 1 };

function loadOf(answer: () => Promise<RestAnswer>, perSecond: number): PacedLoad {
  return new PacedLoad({
    ...{ client: { get: answer, put: answer }, perSecond, keys: 10, writes: 0.5, seed: 1 },
    keyOf: String,
    valueOf: String,
  });
}

const failureOf = (load: PacedLoad): string => {
  try {
    load.check();
  } catch (error) {
    return String(error);
  }
  return '';
};

describe('a constant load', () => {
  it('ends when what it is for does not keep up, and says so to whoever asks', async () => {
    const { promise, resolve } = Promise.withResolvers<RestAnswer>();
    const load = loadOf(() => promise, 1_000_000);
    load.start();
    await until('its end', () => failureOf(load) !== '', WAIT);
    expect(failureOf(load)).toMatch(/does not keep up/);
    resolve({ status: 200, code: '', body: Buffer.alloc(0), headers: {} });
    await load.stop();
  });

  it('ends when a request fails that no answer was for', async () => {
    const load = loadOf(() => Promise.reject(new Error('nobody is there')), 100);
    load.start();
    await until('its end', () => failureOf(load) !== '', WAIT);
    await load.stop();
    expect(failureOf(load)).toMatch(/no answer of any kind/);
  });
});
