import { describe, expect, it } from '@jest/globals';
import { VOTE_INTERVAL_MS, Voter, type MemberAssessment, type MemberState } from './index.js';

const assessed = (states: Readonly<Record<string, MemberState>>): MemberAssessment[] =>
  Object.entries(states).map(([member, state]) => ({
    ...{ member, state, phi: 1, silenceMs: 0, missedBeats: 0, instance: 'i', incarnation: 1 },
    ...{ isHeld: false, probes: [] },
  }));

describe('Voter', () => {
  const voter = (): ((
    states: Readonly<Record<string, MemberState>>,
    at: number,
    underWay?: boolean,
  ) => unknown) => {
    const one = new Voter();
    return (states, at, underWay = false) => {
      const due = one.take(assessed(states), at, underWay);
      return (
        due && { named: due.named.map(({ member, state }) => `${member} ${state}`), unheard: due.unheard }
      );
    };
  };
  const NOTHING = { named: [], unheard: [] };

  it('votes again and again also where nothing is to be doubted, unless its last vote is under way', () => {
    const vote = voter();
    expect(vote({ a: 'alive' }, 0)).toEqual(NOTHING);
    expect(vote({ a: 'alive' }, VOTE_INTERVAL_MS - 1)).toBeNull();
    expect(vote({ a: 'alive' }, VOTE_INTERVAL_MS, true)).toBeNull();
    expect(vote({ a: 'alive' }, VOTE_INTERVAL_MS + 50)).toEqual(NOTHING);
  });

  it('votes at once when it changes its mind, whatever is under way', () => {
    const vote = voter();
    vote({ a: 'alive' }, 0);
    expect(vote({ a: 'suspect' }, 50, true)).toEqual({ named: ['a suspect'], unheard: [] });
    expect(vote({ a: 'down' }, 100)).toEqual({ named: ['a down'], unheard: [] });
    expect(vote({ a: 'down' }, 150)).toBeNull();
    expect(vote({ a: 'alive' }, 200)).toEqual({ named: ['a alive'], unheard: [] });
  });

  it('names a member for a while after it was doubted, and says nothing of one that it has not heard', () => {
    const vote = voter();
    vote({ a: 'suspect', b: 'unknown' }, 0);
    expect(vote({ a: 'alive', b: 'unknown' }, 9_000)).toEqual({ named: ['a alive'], unheard: ['b'] });
    expect(vote({ a: 'alive', b: 'alive' }, 10_001)).toEqual(NOTHING);
  });
});
