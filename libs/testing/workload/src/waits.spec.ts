import { describe, expect, it } from '@jest/globals';
import { type Asked, waitsOf } from './waits.js';

const REFUSED = false;
const asked = (key: string, invokedAtMs: number, completedAtMs: number, isAnswered = true): Asked => ({
  ...{ kind: 'get', key, invokedAtMs, completedAtMs, isAnswered },
});

describe('waitsOf', () => {
  it('tells the slowest operation of each kind, by itself however many others were answered', () => {
    const others = Array.from({ length: 100 }, (_, i) => asked('busy', i * 10, i * 10 + 5));
    const put: Asked = { ...asked('slow', 100, 900), kind: 'put' };
    expect(waitsOf([...others, put], 0)).toEqual({
      slowestMs: { get: 5, put: 800 },
      longestWait: { key: 'slow', ms: 800 },
    });
  });

  it('counts what was given up as slow as it was', () => {
    expect(waitsOf([asked('k', 0, 5_000, REFUSED)], 0).slowestMs).toEqual({ get: 5_000 });
  });

  it.each([
    ['until an answer comes, through refusals', [asked('k', 100, 300, REFUSED), asked('k', 700, 800)], 700],
    ['no longer than until anybody is answered', [asked('k', 100, 1_000), asked('k', 200, 300)], 700],
    ['not while nobody asks', [asked('k', 0, 100), asked('k', 5_000, 5_100)], 100],
    ['until the end where no answer comes', [asked('k', 0, 100, REFUSED), asked('k', 50, 900, REFUSED)], 900],
    ['each key by itself', [asked('k', 0, 100, REFUSED), asked('other', 50, 60), asked('k', 90, 400)], 400],
  ])('lets a key wait %s', (_what, operations, ms) => {
    expect(waitsOf(operations, 0).longestWait).toEqual({ key: 'k', ms });
  });

  it('leaves out what was over before', () => {
    expect(waitsOf([asked('k', 0, 900), asked('k', 950, 1_000)], 901).longestWait.ms).toBe(50);
  });
});
