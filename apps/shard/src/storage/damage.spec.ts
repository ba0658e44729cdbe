import { describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { DamageJudge } from './damage.js';

const failed = (reason: string, words = 'a page'): OperationalError =>
  new OperationalError('STORAGE_FAILED', words, { reason });

describe('DamageJudge', () => {
  it.each(['damaged', 'corrupt'])('takes what is %s for damage at once', (reason) => {
    expect(new DamageJudge().isDamage(failed(reason), 0)).toBe(true);
  });

  it.each(['connection', 'diskFull', 'other'])('takes no failure by %s for it, however long', (reason) => {
    const judge = new DamageJudge();
    expect([0, 1_000_000].map((now) => judge.isDamage(failed(reason), now))).toEqual([false, false]);
    expect(judge.isDamage(new Error('a page'), 0)).toBe(false);
  });

  it('takes a page for damaged that a disk does not give for a minute', () => {
    const judge = new DamageJudge();
    const judged = [0, 100, 59_999, 60_000].map((now) => judge.isDamage(failed('unreadable'), now));
    expect(judged).toEqual([false, false, false, true]);
  });

  it('counts for each page by itself', () => {
    const judge = new DamageJudge();
    expect(judge.isDamage(failed('unreadable', 'block 1'), 0)).toBe(false);
    expect(judge.isDamage(failed('unreadable', 'block 2'), 60_000)).toBe(false);
    expect(judge.isDamage(failed('unreadable', 'block 2'), 120_000)).toBe(true);
  });
});
