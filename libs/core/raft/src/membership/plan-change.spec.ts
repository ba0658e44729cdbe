import { describe, expect, it } from '@jest/globals';
import { type Prng, seededPrng } from '@ringleader/primitives';
import type { Configuration, Seated } from '../types.js';
import {
  allMembers,
  configurationFault,
  configurationOf,
  emptyConfiguration,
  idsOf,
  isJoint,
} from './configuration.js';
import { type Change, type ChangePlan, leftJoint, MEMBERS_MAX, planChange } from './plan-change.js';

const at = (id: number, seat = id): Seated => ({ id, seat });
const three = configurationOf([at(1), at(2), at(3)]);
const add = (member: Seated, replaces = 0): Change => ({
  kind: 'add',
  member,
  isPromotedItself: true,
  replaces,
});
const promote = (id: number): Change => ({ kind: 'promote', id });
const remove = (id: number): Change => ({ kind: 'remove', id });

function planned(configuration: Configuration, ...changes: Change[]): Configuration {
  let current = configuration;
  for (const change of changes) {
    const plan = planChange(current, change);
    if (plan.kind === 'refused') throw new Error(plan.reason);
    current = isJoint(plan.configuration) ? leftJoint(plan.configuration) : plan.configuration;
  }
  return current;
}

describe('planChange', () => {
  it('makes a learner by one entry, a voter by two', () => {
    const learning = planned(three, add(at(4)));
    expect(learning).toEqual({
      ...three,
      learners: [{ id: 4, seat: 4, replaces: 0, isPromotedItself: true }],
    });
    const joint = planChange(learning, promote(4));
    expect(joint).toEqual({
      kind: 'planned',
      configuration: { ...three, voters: [...three.voters, at(4)], outgoing: three.voters },
    });
    expect(planned(learning, promote(4))).toEqual(configurationOf([at(1), at(2), at(3), at(4)]));
  });

  it('puts a successor in the place of a voter, which goes in the same change', () => {
    const replaced = planned(three, add(at(13, 3), 3), promote(13));
    expect(replaced).toEqual({ ...configurationOf([at(1), at(2), at(13, 3)]), removed: [3] });
  });

  it('puts a successor in the place of a learner at once, with what that one was for', () => {
    const replaced = planned(three, add(at(13, 3), 3), add(at(23, 3), 13));
    expect(replaced).toEqual({
      ...three,
      learners: [{ id: 23, seat: 3, replaces: 3, isPromotedItself: true }],
      removed: [13],
    });
  });

  it('leaves the successor of a voter that is removed a place of its own', () => {
    const left = planned(three, add(at(13, 3), 3), remove(3));
    expect(left.learners).toMatchObject([{ id: 13, replaces: 0 }]);
    expect(planned(left, promote(13)).voters).toEqual([at(1), at(2), at(13, 3)]);
  });

  it.each<[string, Configuration, Change, object]>([
    ['a voter that is to be added', three, add(at(3)), { reason: 'alreadySo' }],
    ['a learner that is to be added', planned(three, add(at(4))), add(at(4)), { reason: 'alreadySo' }],
    ['a voter that is to be promoted', three, promote(3), { reason: 'alreadySo' }],
    ['a removed one that is to be removed', planned(three, remove(3)), remove(3), { reason: 'alreadySo' }],
    ['a stranger that is to be promoted', three, promote(9), { reason: 'unknownMember' }],
    ['a stranger that is to be removed', three, remove(9), { reason: 'unknownMember' }],
    ['a stranger that is to be replaced', three, add(at(4), 9), { reason: 'unknownMember' }],
    ['a seat that is another one’s', three, add(at(4, 3)), { reason: 'seatTaken', by: 3 }],
    [
      'a second successor',
      planned(three, add(at(13, 3), 3)),
      add(at(23, 3), 3),
      { reason: 'seatTaken', by: 13 },
    ],
    ['the removal of the last voter', configurationOf([at(1)]), remove(1), { reason: 'lastVoter' }],
    [
      'a tenth member',
      configurationOf(Array.from({ length: MEMBERS_MAX }, (_, i) => at(i + 1))),
      add(at(10)),
      { reason: 'tooMany' },
    ],
  ])('refuses %s', (_, configuration, change, refusal) => {
    expect(planChange(configuration, change)).toEqual({ kind: 'refused', ...refusal });
  });

  it('makes, of whatever is asked, only configurations that may be', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const random = seededPrng(seed);
      let configuration = three;
      for (let step = 0; step < 40; step += 1) {
        const plan = planChange(configuration, randomChange(random));
        if (plan.kind === 'refused') continue;
        configuration = checked(configuration, plan);
      }
    }
  });
});

function randomChange(random: Prng): Change {
  const id = 1 + random.nextBelow(16);
  const draw = random.nextBelow(3);
  if (draw === 0) return promote(id);
  if (draw === 1) return remove(id);
  return add(at(id, 1 + random.nextBelow(10)), random.nextBelow(2) * (1 + random.nextBelow(16)));
}

/** What it becomes by the plan, which must keep what a configuration promises. */
function checked(before: Configuration, plan: ChangePlan & { kind: 'planned' }): Configuration {
  const { configuration } = plan;
  // Ids that were used before are refused by a rule, not here.
  if (allMembers(configuration).some(({ id }) => before.removed.includes(id))) return before;
  expect(configurationFault(configuration)).toBeNull();
  if (isJoint(configuration)) expect(configuration.outgoing).toEqual(before.voters);
  const after = leftJoint(configuration);
  expect(configurationFault(after)).toBeNull();
  const members = allMembers(after);
  const gone = idsOf(allMembers(before)).filter((id) => !idsOf(members).includes(id));
  expect(after.removed).toEqual([...before.removed, ...gone]);
  for (const { id, seat } of members) {
    const others = members.filter((other) => other.seat === seat && other.id !== id);
    const isInTurn = (other: Seated): boolean =>
      after.learners.some(
        ({ id: successor, replaces }) =>
          [id, other.id].includes(successor) && [id, other.id].includes(replaces),
      );
    expect(others.every(isInTurn)).toBe(true);
  }
  expect(members.length - after.learners.filter(({ replaces }) => replaces > 0).length).toBeLessThanOrEqual(
    MEMBERS_MAX,
  );
  return after;
}

describe('leftJoint', () => {
  it('remembers a bounded number of those that went', () => {
    const removed = Array.from({ length: 1_024 }, (_, i) => 1_000 + i);
    const joint = { ...emptyConfiguration, voters: [at(1)], outgoing: [at(1), at(2)], removed };
    const left = leftJoint(joint);
    expect(left.removed).toHaveLength(1_024);
    expect([left.removed[0], left.removed.at(-1)]).toEqual([1_001, 2]);
  });
});
