import { describe, expect, it } from '@jest/globals';
import { configurationOf } from '@ringleader/raft';
import { notReadyReasons, placeIn } from './coordinator-health.js';

describe('notReadyReasons', () => {
  it('has none for a member that knows a leader and keeps up', () => {
    expect(
      notReadyReasons({ leader: 2, commitIndex: 10, appliedIndex: 9, isDiskFull: false }, 'voter'),
    ).toEqual([]);
  });

  it('names each of them', () => {
    expect(
      notReadyReasons({ leader: 0, commitIndex: 20_000, appliedIndex: 1, isDiskFull: true }, 'learner'),
    ).toEqual([
      'it is a learner, and has no vote yet',
      'no leader of the coordinators is known',
      expect.stringMatching(/^diskFull: /),
      '19999 committed entries wait to be applied',
    ]);
  });

  it('has one for who waits outside of the group, which is none of the others', () => {
    const status = { leader: 0, commitIndex: 0, appliedIndex: 0, isDiskFull: false };
    expect(notReadyReasons(status, 'outside')).toEqual([expect.stringMatching(/waits to be let in/)]);
  });
});

describe('placeIn', () => {
  const configuration = {
    ...configurationOf([
      { id: 1, seat: 1 },
      { id: 2, seat: 2 },
    ]),
    learners: [{ id: 7, seat: 3, replaces: 0, isPromotedItself: true }],
  };

  it.each([
    [1, 'voter'],
    [7, 'learner'],
    [3, 'outside'],
  ] as const)('knows members by their ids, not by their seats: %i is %s', (id, place) => {
    expect(placeIn({ id, configuration })).toBe(place);
  });
});
