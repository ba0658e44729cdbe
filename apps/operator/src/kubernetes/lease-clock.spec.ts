import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LEASE_MS, ObservedLease, OwnLease, RENEW_WITHIN_MS } from './lease-clock.js';

const DURATION = { durationMs: LEASE_MS };

describe('the lease of the leader', () => {
  it('lets nobody write who never had it, had it too long ago, or has given it back', () => {
    const own = new OwnLease();
    expect(own.isValid(0)).toBe(false);
    own.renewed(1_000);
    expect(own.isValid(1_000 + RENEW_WITHIN_MS - 1)).toBe(true);
    expect(own.isValid(1_000 + RENEW_WITHIN_MS)).toBe(false);
    own.renewed(500);
    expect(own.isValid(1_000 + RENEW_WITHIN_MS - 1)).toBe(true);
    own.given();
    expect(own.isValid(1_001)).toBe(false);
  });

  it('is free only when it was seen unchanged for as long as it lasts, whatever its holder’s clock says', () => {
    const observed = new ObservedLease();
    expect(observed.isFree({ holder: 'a', version: '1', ...DURATION }, 50_000)).toBe(false);
    expect(observed.isFree({ holder: 'a', version: '1', ...DURATION }, 50_000 + LEASE_MS - 1)).toBe(false);
    expect(observed.isFree({ holder: 'a', version: '2', ...DURATION }, 50_000 + LEASE_MS)).toBe(false);
    expect(observed.isFree({ holder: 'a', version: '2', ...DURATION }, 50_000 + 2 * LEASE_MS)).toBe(true);
    expect(observed.isFree({ holder: '', version: '3', ...DURATION }, 90_000)).toBe(true);
  });

  /** The clocks of two processes agree on nothing but how fast they run. */
  it('is never had by two at once, however late answers come', () => {
    const wait = fc.integer({ min: 0, max: 20_000 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ sent: wait, took: wait, seen: wait }), { maxLength: 30 }),
        (rounds) => {
          const own = new OwnLease();
          const other = new ObservedLease();
          let now = 0;
          for (const [i, { sent, took, seen }] of rounds.entries()) {
            now += sent;
            const sentAt = now;
            now += took;
            own.renewed(sentAt);
            // The other one sees the renewal when it is written, which is not before it was sent.
            now += seen;
            if (other.isFree({ holder: 'a', version: String(i), ...DURATION }, now))
              expect(own.isValid(now)).toBe(false);
            now += LEASE_MS;
            if (other.isFree({ holder: 'a', version: String(i), ...DURATION }, now))
              expect(own.isValid(now)).toBe(false);
          }
        },
      ),
    );
  });
});
