import { describe, expect, it } from '@jest/globals';
import { CommitWaiters, type Waiter } from './waiters.js';

function waiter(revision: number, token = revision): Waiter {
  return {
    request: {
      kind: 'read',
      token,
      partition: 1,
      epoch: 1,
      key: 'k',
      consistency: { kind: 'linearizable' },
      deadline: 0,
    },
    revision,
    reply: { kind: 'absent', token },
    needsLeadership: false,
  };
}

function takeTo(waiters: CommitWaiters, commit: number): number[] {
  const tokens: number[] = [];
  for (let next = waiters.take(commit); next !== null; next = waiters.take(commit))
    tokens.push(next.reply.token);
  return tokens;
}

describe('CommitWaiters', () => {
  it('gives back in order of revision, and of arrival, what is committed', () => {
    const waiters = new CommitWaiters();
    for (const [revision, token] of [
      [1, 1],
      [3, 2],
      [2, 3],
      [3, 4],
      [2, 5],
    ] as const)
      waiters.add(waiter(revision, token));
    expect(takeTo(waiters, 2)).toEqual([1, 3, 5]);
    waiters.add(waiter(2, 6));
    expect(takeTo(waiters, 2)).toEqual([6]);
    expect(takeTo(waiters, 9)).toEqual([2, 4]);
    expect(takeTo(waiters, 9)).toEqual([]);
  });

  it('is used again when it was empty, and when much has passed', () => {
    const waiters = new CommitWaiters();
    let added = 0;
    let taken = 0;
    for (const [add, commit] of [
      [3, 2],
      [2, 5],
      [2_000, 1_500],
      [10, 1_600],
      [1, 3_000],
    ] as const) {
      for (let i = 0; i < add; i += 1) waiters.add(waiter((added += 1)));
      for (const token of takeTo(waiters, commit)) expect(token).toBe((taken += 1));
      expect(taken).toBe(Math.min(added, commit));
    }
  });

  it('gives back the rest, which is what was added and not taken', () => {
    const waiters = new CommitWaiters();
    for (let revision = 1; revision <= 5; revision += 1) waiters.add(waiter(revision));
    expect(takeTo(waiters, 2)).toEqual([1, 2]);
    expect(waiters.takeAll().map(({ revision }) => revision)).toEqual([3, 4, 5]);
    expect(waiters.takeAll()).toEqual([]);
    waiters.add(waiter(6));
    expect(takeTo(waiters, 6)).toEqual([6]);
  });
});
