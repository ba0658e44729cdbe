import { describe, expect, it } from '@jest/globals';
import type { Staging } from '../records.js';
import { RULES } from './rules.js';

const STAGING: Staging = {
  copyId: 7,
  generation: 7,
  ballot: 65_537,
  base: 4,
  nextBase: 4,
  purgedTo: 0,
  dedupeFloor: 0,
  nextKey: null,
  pass: 1,
};

/** 4.3.6: in the simulation a copy ends with its session, so that no finish comes late enough to show this. */
describe('the end of a copy', () => {
  const to = { ballot: 65_537, revision: 9 };
  const behind = { ballot: 65_537, revision: 8 };

  it('applies to the copy that is under way', () => {
    expect(RULES.finishApplies(7, to, STAGING, behind)).toBe(true);
    expect(RULES.finishApplies(6, to, STAGING, behind)).toBe(false);
    expect(RULES.finishApplies(7, to, null, behind)).toBe(false);
  });

  it('leads forward only: the replica may have moved on', () => {
    expect(RULES.finishApplies(7, to, STAGING, to)).toBe(false);
    expect(RULES.finishApplies(7, to, STAGING, { ballot: 65_537, revision: 10 })).toBe(false);
    expect(RULES.finishApplies(7, to, STAGING, { ballot: 131_073, revision: 1 })).toBe(false);
  });
});
