import { describe, expect, it } from '@jest/globals';
import type { ShardReply } from '@ringleader/paxos';
import { Attempts, DEFAULT_RETRY_TIMINGS, RetryBudget, attemptTimeoutMs, backOffMs } from './attempts.js';
import type { RequestClass, Verdict } from './attempts.js';

const token = 0;
const REPLIES = {
  written: { kind: 'written', token, revision: 7, version: 1, created: true, createdAt: 1, modifiedAt: 1 },
  absent: { kind: 'absent', token },
  conditionFailed: { kind: 'conditionFailed', token, revision: 3, version: 1 },
  row: { kind: 'row', token, row: null, stalenessMs: 0 },
  rowOfUnknownAge: { kind: 'row', token, row: null, stalenessMs: null },
  notLeader: { kind: 'notLeader', token, ballot: 9, leader: 2, epoch: 1 },
  tooStale: { kind: 'tooStale', token },
  overloaded: { kind: 'overloaded', token },
  outcomeUnknown: { kind: 'outcomeUnknown', token },
} as const satisfies Record<string, ShardReply>;
type Reply = keyof typeof REPLIES;

/** `at 5` begins an attempt at ballot 5; `2 written` is the answer to the second attempt, `2 written late` after the deadline. */
type Step = `at ${number}` | `${number} ${Reply}` | `${number} ${Reply} late`;

function run(requestClass: RequestClass, steps: readonly Step[]): { last: string; attempts: Attempts } {
  const attempts = new Attempts(requestClass);
  let last: Verdict = { kind: 'ignored' };
  for (const step of steps) {
    const [first, second, third] = step.split(' ') as [string, string, string?];
    if (first === 'at') attempts.begin(Number(second));
    else last = attempts.answer(Number(first), REPLIES[second as Reply], third === 'late');
  }
  if (last.kind === 'failed') return { last: last.code, attempts };
  return { last: last.kind === 'settled' ? last.reply.kind : last.kind, attempts };
}

describe('which answer to a write counts', () => {
  it.each<[string, readonly Step[], string]>([
    ['a success', ['at 5', '1 written'], 'written'],
    ['a success of an earlier attempt', ['at 5', 'at 9', '1 written'], 'written'],
    ['a success after a refusal', ['at 5', '1 notLeader', 'at 9', '2 written'], 'written'],
    ['a failed condition of the only attempt', ['at 5', '1 conditionFailed'], 'conditionFailed'],
    ['a failed condition of the latest attempt', ['at 5', 'at 9', '2 conditionFailed'], 'conditionFailed'],
    ['not a failed condition of an earlier one', ['at 5', 'at 9', '1 conditionFailed'], 'ignored'],
    ['an absent key of the latest attempt', ['at 5', 'at 9', '2 absent'], 'absent'],
    ['not an absent key of an earlier one', ['at 5', 'at 9', '1 absent'], 'ignored'],
    ['a refusal of the latest attempt leads elsewhere', ['at 5', '1 notLeader'], 'elsewhere'],
    ['a refusal of an earlier one does not', ['at 5', 'at 9', '1 notLeader'], 'ignored'],
    ['overload with nothing else under way', ['at 5', '1 overloaded'], 'OVERLOADED'],
    ['overload after a refusal', ['at 5', '1 notLeader', 'at 9', '2 overloaded'], 'OVERLOADED'],
    ['overload after a silence is no proof', ['at 5', 'at 5', '2 overloaded'], 'again'],
    ['not begun in time', ['at 5', '1 overloaded late'], 'OVERLOADED'],
    ['not begun in time after a silence', ['at 5', 'at 5', '2 overloaded late'], 'OUTCOME_UNKNOWN'],
    ['an unknown outcome: the next leader may know', ['at 5', '1 outcomeUnknown'], 'again'],
    ['of an earlier attempt', ['at 5', 'at 9', '1 outcomeUnknown'], 'ignored'],
    ['at two ballots', ['at 5', '1 outcomeUnknown', 'at 9', '2 outcomeUnknown'], 'again'],
    [
      'twice at one ballot: too old to be told',
      ['at 5', '1 outcomeUnknown', 'at 5', '2 outcomeUnknown'],
      'forgotten',
    ],
    [
      'twice at one ballot after a silence',
      ['at 3', 'at 5', '2 outcomeUnknown', 'at 5', '3 outcomeUnknown'],
      'OUTCOME_UNKNOWN',
    ],
    ['the answer that comes after all', ['at 5', '1 outcomeUnknown', 'at 9', '2 written'], 'written'],
  ])('%s', (_name, steps, expected) => {
    expect(run('write', steps).last).toBe(expected);
  });
});

describe('which answer to a read counts', () => {
  it.each<[string, readonly Step[], string]>([
    ['a row', ['at 0', '1 row'], 'row'],
    ['a row of any attempt', ['at 0', 'at 0', '1 row'], 'row'],
    ['too stale: another replica', ['at 0', '1 tooStale'], 'anotherReplica'],
    ['a row of unknown age: another replica', ['at 0', '1 rowOfUnknownAge'], 'anotherReplica'],
    ['of an earlier attempt', ['at 0', 'at 0', '1 rowOfUnknownAge'], 'ignored'],
    ['overload', ['at 0', '1 overloaded'], 'OVERLOADED'],
    ['not begun in time', ['at 0', '1 overloaded late'], 'DEADLINE_EXCEEDED'],
    ['a refusal', ['at 0', '1 notLeader'], 'elsewhere'],
  ])('%s', (_name, steps, expected) => {
    expect(run('read', steps).last).toBe(expected);
  });
});

describe('what the client is told when the time is up', () => {
  it.each<[RequestClass, readonly Step[], string]>([
    ['write', [], 'UNAVAILABLE'],
    ['write', ['at 5'], 'OUTCOME_UNKNOWN'],
    ['write', ['at 0'], 'UNAVAILABLE'],
    ['write', ['at 5', '1 notLeader', 'at 0'], 'UNAVAILABLE'],
    ['write', ['at 5', 'at 0'], 'OUTCOME_UNKNOWN'],
    ['write', ['at 5', '1 notLeader'], 'UNAVAILABLE'],
    ['write', ['at 5', '1 notLeader', 'at 9'], 'OUTCOME_UNKNOWN'],
    ['write', ['at 5', 'at 9', '2 notLeader'], 'OUTCOME_UNKNOWN'],
    ['write', ['at 5', 'at 9', '2 notLeader', '1 notLeader'], 'UNAVAILABLE'],
    ['write', ['at 5', '1 outcomeUnknown'], 'OUTCOME_UNKNOWN'],
    ['write', ['at 5', 'at 9', '1 conditionFailed', '2 notLeader'], 'OUTCOME_UNKNOWN'],
    ['read', [], 'UNAVAILABLE'],
    ['read', ['at 0'], 'DEADLINE_EXCEEDED'],
    ['read', ['at 0', '1 notLeader'], 'UNAVAILABLE'],
  ])('%s %j: %s', (requestClass, steps, expected) => {
    expect(run(requestClass, steps).attempts.atDeadline(false)).toBe(expected);
  });

  it.each<[RequestClass, string]>([
    ['write', 'OVERLOADED'],
    ['read', 'DEADLINE_EXCEEDED'],
  ])('%s that still waits for its turn: %s', (requestClass, expected) => {
    expect(new Attempts(requestClass).atDeadline(true)).toBe(expected);
  });
});

describe('the ballot of the next attempt', () => {
  it.each<[RequestClass, readonly Step[], number]>([
    ['write', [], 0],
    ['write', ['at 5'], 5],
    ['write', ['at 5', 'at 9'], 9],
    ['write', ['at 5', 'at 9', '2 notLeader'], 5],
    ['write', ['at 5', '1 overloaded'], 0],
    ['write', ['at 5', '1 outcomeUnknown'], 5],
    ['read', ['at 5'], 0],
  ])('%s %j: not below %d', (requestClass, steps, expected) => {
    expect(run(requestClass, steps).attempts.ballotFloor).toBe(expected);
  });
});

describe('attemptTimeoutMs', () => {
  it('doubles up to a bound', () => {
    const timeouts = [1, 2, 3, 4, 5, 60].map((attempt) =>
      attemptTimeoutMs(DEFAULT_RETRY_TIMINGS, { attempt, bytes: 100, isProbe: false }),
    );
    expect(timeouts).toEqual([1_000, 2_000, 4_000, 4_000, 4_000, 4_000]);
  });

  it('is short where others can be asked as well', () => {
    const timeouts = [1, 2, 60].map((attempt) =>
      attemptTimeoutMs(DEFAULT_RETRY_TIMINGS, { attempt, bytes: 100, isProbe: true }),
    );
    expect(timeouts).toEqual([100, 200, 4_000]);
  });

  it('is longer for what takes longer because it is large', () => {
    const large = { attempt: 1, bytes: 1_048_576, isProbe: false };
    expect(attemptTimeoutMs(DEFAULT_RETRY_TIMINGS, large)).toBe(1_000 + 4_096);
  });
});

describe('backOffMs', () => {
  it('is random in its upper half, and bounded', () => {
    expect([backOffMs(DEFAULT_RETRY_TIMINGS, 1, 0), backOffMs(DEFAULT_RETRY_TIMINGS, 1, 0.5)]).toEqual([
      10, 15,
    ]);
    expect(backOffMs(DEFAULT_RETRY_TIMINGS, 1_000, 0.999)).toBeLessThan(400);
    expect(backOffMs(DEFAULT_RETRY_TIMINGS, 0, 0)).toBe(10);
  });
});

describe('RetryBudget', () => {
  it('lets as many retries through as it holds, then one for every so many successes', () => {
    const budget = new RetryBudget(3, 0.5, 0, 0);
    expect(Array.from({ length: 4 }, () => budget.take(0))).toEqual([true, true, true, false]);
    budget.succeeded();
    expect(budget.take(0)).toBe(false);
    budget.succeeded();
    expect(budget.take(0)).toBe(true);
  });

  it('fills as time passes, up to its bound', () => {
    const budget = new RetryBudget(2, 0, 1, 0);
    expect([budget.take(0), budget.take(0), budget.take(500)]).toEqual([true, true, false]);
    expect([budget.take(1_500), budget.take(1_500)]).toEqual([true, false]);
    const muchLater = 1_000_000;
    expect([budget.take(muchLater), budget.take(muchLater), budget.take(muchLater)]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
