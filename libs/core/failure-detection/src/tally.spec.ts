import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VerdictTally, quorumOf, type Ballot } from './index.js';

const FRESH_MS = 3_000;
const MEMBER = 'shard/shard-1';
type Said = 'alive' | 'suspect' | 'down' | 'nothing' | 'unheard';
const SAID: readonly Said[] = ['alive', 'suspect', 'down', 'nothing', 'unheard'];

function vote(said: Said, about: Partial<Ballot<string>> = {}, sequence = 1) {
  const ballot = { instance: 'i', incarnation: 1, evidence: said, ...about };
  const isCast = said !== 'nothing' && said !== 'unheard';
  return {
    ...{ instance: 'process', sequence },
    ballots: new Map(isCast ? [[MEMBER, { verdict: said, ...ballot }]] : []),
    unheard: new Set(said === 'unheard' ? [MEMBER] : []),
  };
}

function tallyOf(...votes: Said[]): VerdictTally<string> {
  const tally = new VerdictTally<string>(FRESH_MS);
  votes.forEach((said, i) => tally.take(`d${i}`, vote(said), 0));
  return tally;
}

const judged = (tally: VerdictTally<string>, now = 0, registered: string | null = 'i', quorum = 2) =>
  tally.judge(MEMBER, { registered, quorum }, now)?.verdict ?? null;

describe('the tally', () => {
  it('forgets detectors that are long gone, and none that is only late', () => {
    const tally = tallyOf('down', 'down');
    tally.take('d0', vote('nothing', {}, 2), 50 * FRESH_MS);
    expect(tally.take('d1', vote('down'), 50 * FRESH_MS)).toBe(false);
    for (let i = 0; i < 1_000; i++) tally.take(`pod-${i}`, vote('nothing'), i * 60_000);
    // All that it still has is fresh at the time of the first vote.
    expect(tally.detectors(0).length).toBeLessThan(10);
  });

  it.each<[Said[], string | null]>([
    [[], null],
    [['down'], null],
    [['down', 'down'], 'down'],
    [['down', 'suspect'], 'suspect'],
    [['down', 'suspect', 'nothing'], 'suspect'],
    [['down', 'nothing', 'nothing'], 'alive'],
    [['alive', 'suspect', 'nothing'], 'alive'],
    [['suspect', 'nothing'], null],
    [['suspect', 'unheard', 'unheard'], null],
    [['unheard', 'unheard', 'unheard'], null],
    [['suspect', 'nothing', 'unheard'], null],
    [['nothing', 'nothing', 'unheard'], 'alive'],
  ])('of %j is %s', (votes, expected) => {
    expect(judged(tallyOf(...votes))).toBe(expected);
  });

  it('needs a majority of the detectors that should be there', () => {
    expect([quorumOf(3, 3), quorumOf(1, 3), quorumOf(0, 1), quorumOf(4, 3), quorumOf(5, 3)]).toEqual([
      2, 2, 1, 3, 3,
    ]);
  });

  it('counts a vote while it is fresh', () => {
    const tally = tallyOf('down', 'down', 'nothing');
    expect(judged(tally, FRESH_MS)).toBe('down');
    expect(judged(tally, FRESH_MS + 1)).toBeNull();
    expect(tally.detectors(FRESH_MS).length).toBe(3);
    expect([...tally.mentioned(FRESH_MS)]).toEqual([MEMBER]);
    expect([...tally.mentioned(FRESH_MS + 1)]).toEqual([]);
  });

  it('takes no vote that a later one overtook, but begins anew with another process of the detector', () => {
    const tally = tallyOf('down', 'down', 'down');
    expect(tally.take('d0', vote('alive', {}, 5), 1)).toBe(true);
    expect(tally.take('d0', vote('down', {}, 4), 2)).toBe(false);
    expect(tally.take('d0', vote('down', {}, 5), 2)).toBe(false);
    expect(tally.take('d0', { ...vote('suspect', {}, 1), instance: 'another' }, 3)).toBe(true);
  });

  it('counts nothing that was said of a process that was replaced', () => {
    const tally = tallyOf('down', 'down', 'down');
    expect(judged(tally, 0, 'another')).toBeNull();
    expect(judged(tally, 0, null)).toBe('down');
    for (const d of ['d0', 'd1']) tally.take(d, vote('alive', { instance: 'not registered yet' }, 2), 0);
    expect(judged(tally, 0, 'i')).toBe('alive');
  });

  it('counts what is said of one that was never heard', () => {
    const tally = new VerdictTally<string>(FRESH_MS);
    for (const d of ['a', 'b']) tally.take(d, vote('down', { instance: null, incarnation: null }), 0);
    expect(judged(tally)).toBe('down');
  });

  it('does not count an older suspicion beside the word that a higher incarnation is alive', () => {
    const tally = tallyOf('suspect', 'suspect', 'nothing');
    tally.take('d2', vote('alive', { incarnation: 2 }, 2), 0);
    expect(judged(tally)).toBeNull();
    // One that is dead under it is not alive.
    tally.take('d2', vote('suspect', { incarnation: 2 }, 3), 0);
    expect(judged(tally)).toBe('suspect');
  });

  it('gives the ballots as evidence', () => {
    const judgement = tallyOf('down', 'suspect', 'unheard').judge(MEMBER, { registered: 'i', quorum: 2 }, 0);
    expect(judgement?.instance).toBe('i');
    expect(judgement?.ballots.map(({ detector, evidence }) => [detector, evidence])).toEqual([
      ['d0', 'down'],
      ['d1', 'suspect'],
    ]);
  });

  it('never gives a verdict that fewer than the quorum said, nor two groups of a cut a different one', () => {
    const detectors = fc.array(fc.constantFrom(...SAID), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(detectors, fc.nat({ max: 7 }), (votes, cut) => {
        const quorum = quorumOf(votes.length, 3);
        const sides = [votes.slice(0, cut), votes.slice(cut)].map((side) =>
          judged(tallyOf(...side), 0, 'i', quorum),
        );
        expect(sides.filter((verdict) => verdict !== null).length).toBeLessThanOrEqual(1);
        const verdict = judged(tallyOf(...votes), 0, 'i', quorum);
        const count = (...said: Said[]): number => votes.filter((one) => said.includes(one)).length;
        if (verdict === 'down') expect(count('down')).toBeGreaterThanOrEqual(quorum);
        if (verdict === 'suspect') expect(count('down', 'suspect')).toBeGreaterThanOrEqual(quorum);
        if (verdict === 'alive') expect(count('alive', 'nothing')).toBeGreaterThanOrEqual(quorum);
      }),
    );
  });
});
