import { describe, expect, it } from '@jest/globals';
import { configurationOf } from '@ringleader/raft';
import { type HashAnswer, judge } from './store-judgement.js';

const AT = 100;
const configuration = configurationOf([1, 2, 3].map((seat) => ({ seat, id: seat * 11 })));
const said = (seat: number, hash: string | null, revision = AT): HashAnswer => ({
  ...{ id: String(seat * 11), revision, compactedRevision: 0, hash },
});
const states = (...answers: HashAnswer[]) => {
  const judgement = judge(AT, configuration, new Map(answers.map((answer, i) => [i + 1, answer])));
  const { consistent, expected, members } = judgement;
  return [consistent, expected, ...members.map(({ state }) => state)];
};

describe('judge', () => {
  it.each([
    ['all agree', ['a', 'a', 'a'], [true, 'a', 'agrees', 'agrees', 'agrees']],
    ['one differs', ['a', 'b', 'a'], [false, 'a', 'agrees', 'differs', 'agrees']],
    ['nobody has a majority', ['a', 'b', 'c'], [false, null, 'differs', 'differs', 'differs']],
  ])('%s', (_what, hashes, outcome) => {
    expect(states(...hashes.map((hash, i) => said(i + 1, hash)))).toEqual(outcome);
  });

  it('believes no half', () => {
    expect(states(said(1, 'a'), said(2, 'b'), null)).toEqual([false, null, 'differs', 'differs', 'silent']);
    expect(states(said(1, 'a'), null, null)).toEqual([true, null, 'agrees', 'silent', 'silent']);
  });

  it('holds nothing against who has forgotten the revision', () => {
    const answers = [said(1, 'a'), said(2, null, AT + 5), said(3, 'a')];
    expect(states(...answers)).toEqual([true, 'a', 'agrees', 'compacted', 'agrees']);
  });

  it('finds who has applied everything and yet never came to the revision', () => {
    const answers = [said(1, 'a'), said(2, null, AT - 1), said(3, 'a')];
    expect(states(...answers)).toEqual([false, 'a', 'agrees', 'differs', 'agrees']);
    expect(judge(AT, configuration, new Map(answers.map((one, i) => [i + 1, one]))).differing).toEqual([
      { id: 22, seat: 2, hash: null },
    ]);
  });

  it('takes no answer from another member at the same seat, and no vote from a learner', () => {
    const stranger = { ...said(2, 'b')!, id: '4711' };
    expect(states(said(1, 'a'), stranger, said(3, 'a'))).toEqual([true, 'a', 'agrees', 'silent', 'agrees']);
    const learners = [2, 3, 4].map((seat) => ({ seat, id: seat * 11, replaces: 0, isPromotedItself: false }));
    const group = { ...configurationOf([{ seat: 1, id: 11 }]), learners };
    const answers = [said(1, 'a'), said(2, 'b'), said(3, 'b'), said(4, 'b')];
    const { expected } = judge(AT, group, new Map(answers.map((one, i) => [i + 1, one])));
    expect(expected).toBe('a');
  });
});
