import { describe, expect, it } from '@jest/globals';
import { type Configuration, configurationOf } from '@ringleader/raft';
import { isChanging, listed } from './listed.js';

const seated = (...seats: number[]) => seats.map((seat) => ({ id: 10 * seat, seat }));
const seatsOf = (configuration: Configuration, committed: Configuration) =>
  listed({ configuration, committed }).map(({ seat }) => seat);

describe('the members that are listed', () => {
  const joint: Configuration = { ...configurationOf(seated(1, 2, 6)), outgoing: seated(1, 2, 3, 6) };
  const left: Configuration = { ...configurationOf(seated(1, 2, 6)), removed: [30] };

  it('have among them who is removed, until that is committed', () => {
    expect(seatsOf(left, joint)).toEqual([1, 2, 3, 6]);
    expect(isChanging({ configuration: left, committed: joint })).toBe(true);
    expect(seatsOf(left, left)).toEqual([1, 2, 6]);
    expect(isChanging({ configuration: left, committed: left })).toBe(false);
  });

  it('change while the configuration is joint, committed or not', () => {
    expect(isChanging({ configuration: joint, committed: joint })).toBe(true);
    expect(seatsOf(joint, joint)).toEqual([1, 2, 3, 6]);
  });

  it('have a learner among them as soon as it is added, and a successor beside whom it replaces', () => {
    const before = configurationOf(seated(1, 2, 3));
    const learner = { id: 31, seat: 3, replaces: 30, isPromotedItself: true };
    const after = { ...before, learners: [learner] };
    expect(listed({ configuration: after, committed: before })).toEqual([
      { id: 10, seat: 1, isLearner: false, replaces: 0 },
      { id: 20, seat: 2, isLearner: false, replaces: 0 },
      { id: 30, seat: 3, isLearner: false, replaces: 0 },
      { id: 31, seat: 3, isLearner: true, replaces: 30 },
    ]);
  });
});
