import { describe, expect, it } from '@jest/globals';
import type { CoordinatorMember } from '@ringleader/contracts';
import { refuseLossOfMajority, successionOf } from './local.js';

const member = (seat: number, change: Partial<CoordinatorMember> = {}): CoordinatorMember => ({
  ...{ name: `coordinator-${seat}`, id: String(seat), role: 'voter', term: 1, match: 1, lag: 0 },
  reachable: true,
  ...change,
});

describe('ringleader local replace-coordinator', () => {
  const replace = (...members: CoordinatorMember[]) => {
    return () => {
      refuseLossOfMajority({ joint: false, members }, 'coordinator-3');
    };
  };

  it('deletes no disk without which no majority is left', () => {
    const silent = { reachable: false };
    expect(replace(member(1), member(2), member(3, silent))).not.toThrow();
    expect(replace(member(1), member(2), member(3))).not.toThrow();
    expect(replace(member(1), member(2, silent), member(3))).toThrow('no answer from coordinator-2');
    expect(replace(member(1), member(2, { role: 'learner' }), member(3))).toThrow('no majority');
    expect(replace(member(3))).toThrow('no majority');
  });

  it('deletes no disk while the group changes: the set before may decide, too', () => {
    const members = [member(1), member(2), member(3)];
    expect(() => {
      refuseLossOfMajority({ joint: true, members }, 'coordinator-3');
    }).toThrow(expect.objectContaining({ code: 'CHANGE_UNDER_WAY' }));
  });

  it('lets in who asks, also in place of one that was let in and is gone, and nobody in place of one that is heard', () => {
    const applicants = [{ name: 'coordinator-3', id: '5' }];
    const learner = member(3, { id: '4', role: 'learner' });
    const after = (successor: CoordinatorMember | null, asking = applicants) => {
      const members = [member(1), member(2), member(3, { reachable: false })];
      const now = successor === null ? members : [...members, successor];
      return successionOf({ members: now, applicants: asking }, 'coordinator-3', new Set(['1', '2', '3']));
    };
    expect(after(null)).toEqual({ isToBeLetIn: true });
    expect(after(null, [{ name: 'coordinator-4', id: '5' }])).toEqual({ isToBeLetIn: false });
    expect(after(learner)).toEqual({ isToBeLetIn: false });
    expect(after({ ...learner, reachable: false })).toEqual({ isToBeLetIn: true });
    expect(after({ ...learner, reachable: false }, [])).toEqual({ isToBeLetIn: false });
    expect(after(member(3, { id: '4' }))).toEqual({ id: '4', isToBeLetIn: false });
  });
});
