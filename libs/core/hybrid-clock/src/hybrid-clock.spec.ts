import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  HYBRID_TIME_ZERO,
  mergeHybridTime,
  nextHybridTime,
  packHybridTime,
  receiveHybridTime,
  unpackHybridTime,
} from './hybrid-clock.js';

interface KnownStep {
  wall: number;
  event: 'send' | 'recv';
  input: [number, number] | null;
  expected: [number, number];
}

const known = JSON.parse(
  readFileSync(new URL('../../../testing/fixtures/known-answers/hlc.json', import.meta.url), 'utf8'),
) as { steps: KnownStep[] };

const wallTimes = fc.integer({ min: 0, max: 2 ** 42 });
const hybridTimes = fc.integer({ min: 0, max: 2 ** 52 });

describe('hybrid clock', () => {
  it("issues the times of CockroachDB's clock test", () => {
    let clock = HYBRID_TIME_ZERO;
    for (const { wall: wallMs, input, expected } of known.steps) {
      // A step that receives reads the clock before and after, so its expectation is the second reading.
      clock = nextHybridTime(clock, wallMs);
      if (input !== null) {
        const remote = packHybridTime({ wallMs: input[0], counter: input[1] });
        const received = receiveHybridTime(clock, remote, { wallMs, maxAheadMs: 1_000 });
        expect(received.kind).toBe('received');
        if (received.kind === 'received') clock = received.time;
      }
      const { wallMs: ms, counter } = unpackHybridTime(clock);
      expect([ms, counter]).toEqual(expected);
    }
  });

  it('unpacks what it packs', () => {
    fc.assert(
      fc.property(wallTimes, fc.integer({ min: 0, max: 1023 }), (wallMs, counter) => {
        expect(unpackHybridTime(packHybridTime({ wallMs, counter }))).toEqual({ wallMs, counter });
      }),
    );
  });

  it('goes forward whatever the wall does, and is never behind it', () => {
    fc.assert(
      fc.property(hybridTimes, wallTimes, (last, wallMs) => {
        const time = nextHybridTime(last, wallMs);
        expect(time).toBeGreaterThan(last);
        expect(unpackHybridTime(time).wallMs).toBeGreaterThanOrEqual(wallMs);
      }),
    );
  });

  it('carries a counter that runs over into the milliseconds', () => {
    const last = packHybridTime({ wallMs: 7, counter: 1023 });
    expect(unpackHybridTime(nextHybridTime(last, 7))).toEqual({ wallMs: 8, counter: 0 });
  });

  it('stamps a receipt after the message, or refuses a message from too far ahead', () => {
    fc.assert(
      fc.property(hybridTimes, hybridTimes, wallTimes, (last, remote, wallMs) => {
        const received = receiveHybridTime(last, remote, { wallMs, maxAheadMs: 500 });
        if (received.kind === 'received') {
          expect(received.time).toBeGreaterThan(Math.max(last, remote));
        } else {
          expect(received.aheadMs).toBeGreaterThan(500);
          expect(remote).toBeGreaterThan(last);
        }
      }),
    );
  });

  it('accepts exactly up to the bound', () => {
    const bounds = { wallMs: 1_000, maxAheadMs: 500 };
    const remote = packHybridTime({ wallMs: 1_500, counter: 0 });
    expect(mergeHybridTime(0, remote, bounds)).toEqual({ kind: 'merged', time: remote });
    expect(mergeHybridTime(0, remote + 1, bounds).kind).toBe('refused');
  });

  it('accepts a remote time it is already past, however far the wall went back', () => {
    const last = packHybridTime({ wallMs: 9_000, counter: 3 });
    expect(mergeHybridTime(last, last - 1, { wallMs: 10, maxAheadMs: 500 })).toEqual({
      kind: 'merged',
      time: last,
    });
  });

  it('refuses what is not a number', () => {
    expect(mergeHybridTime(5, Number.NaN, { wallMs: 10, maxAheadMs: 500 }).kind).toBe('refused');
  });
});
