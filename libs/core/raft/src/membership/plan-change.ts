/**
 * From what an operator asks to the configuration that does it. Learners come and go by one entry: they count nowhere. Every change
 * of the voters is joint (thesis 4.3), also one that would be safe as a single step: one way is easier to trust than two.
 */
import type { Configuration, Learner, MemberId, Seated } from '../types.js';
import { allMembers, idsOf, isVoter, learnerOf } from './configuration.js';

export type Change =
  | {
      readonly kind: 'add';
      readonly member: Seated;
      readonly isPromotedItself: boolean;
      /** Whose place it takes: a voter's when it is promoted, a learner's at once; 0: nobody's. */
      readonly replaces: MemberId;
    }
  | { readonly kind: 'promote'; readonly id: MemberId }
  | { readonly kind: 'remove'; readonly id: MemberId };

export type PlanRefusal =
  | {
      readonly reason: 'alreadySo' | 'idUsedBefore' | 'unknownMember' | 'lastVoter' | 'tooMany';
    }
  | { readonly reason: 'seatTaken'; readonly by: MemberId };

export type ChangePlan =
  | { readonly kind: 'planned'; readonly configuration: Configuration }
  | ({ readonly kind: 'refused' } & PlanRefusal);

/** Names of coordinators have one digit, and more voters than that only make a group slower. */
export const MEMBERS_MAX = 9;
/** Whoever was removed so many removals ago, and still does not know, is not told any more. */
const REMOVED_MAX = 1_024;

export function planChange(configuration: Configuration, change: Change): ChangePlan {
  switch (change.kind) {
    case 'add':
      return planAddition(configuration, change);
    case 'promote':
      return planPromotion(configuration, change.id);
    case 'remove':
      return planRemoval(configuration, change.id);
  }
}

/** Who goes when a joint configuration is left is removed for ever. */
export function leftJoint(configuration: Configuration): Configuration {
  const { voters, outgoing, learners, removed } = configuration;
  const staying = new Set(idsOf([...voters, ...learners]));
  const gone = idsOf(outgoing).filter((id) => !staying.has(id));
  return { voters, outgoing: [], learners, removed: withRemoved(removed, gone) };
}

function planAddition(configuration: Configuration, addition: Change & { kind: 'add' }): ChangePlan {
  const { member, replaces, isPromotedItself } = addition;
  const { learners, removed } = configuration;
  const members = allMembers(configuration);
  if (members.some(({ id }) => id === member.id)) return refused('alreadySo');
  if (replaces !== 0 && !members.some(({ id }) => id === replaces)) return refused('unknownMember');
  const before = learnerOf(configuration, replaces);
  /** Of the voter whose place it is to have in the end. */
  const predecessor = before?.replaces ?? replaces;
  const rival =
    learners.find((learner) => learner !== before && predecessor > 0 && learner.replaces === predecessor) ??
    members.find(({ seat, id }) => seat === member.seat && id !== replaces && id !== predecessor);
  if (rival !== undefined) return { kind: 'refused', reason: 'seatTaken', by: rival.id };
  const places = members.length - learners.filter((learner) => learner.replaces > 0).length;
  if (replaces === 0 && places >= MEMBERS_MAX) return refused('tooMany');
  const { id, seat } = member;
  const learner: Learner = { id, seat, replaces: predecessor, isPromotedItself };
  const others = learners.filter((other) => other !== before);
  const gone = before === null ? [] : [before.id];
  return planned({
    ...configuration,
    learners: [...others, learner],
    removed: withRemoved(removed, gone),
  });
}

function planPromotion(configuration: Configuration, id: MemberId): ChangePlan {
  const { voters, learners } = configuration;
  const learner = learnerOf(configuration, id);
  if (learner === null) return refused(isVoter(configuration, id) ? 'alreadySo' : 'unknownMember');
  const staying = voters.filter((voter) => voter.id !== learner.replaces);
  return planned({
    ...configuration,
    voters: [...staying, { id, seat: learner.seat }],
    outgoing: voters,
    learners: learners.filter((other) => other !== learner),
  });
}

function planRemoval(configuration: Configuration, id: MemberId): ChangePlan {
  const { voters, learners, removed } = configuration;
  if (learnerOf(configuration, id) !== null) {
    const others = learners.filter((other) => other.id !== id);
    return planned({ ...configuration, learners: others, removed: withRemoved(removed, [id]) });
  }
  if (!isVoter(configuration, id)) return refused(removed.includes(id) ? 'alreadySo' : 'unknownMember');
  if (voters.length === 1) return refused('lastVoter');
  return planned({
    ...configuration,
    voters: voters.filter((voter) => voter.id !== id),
    outgoing: voters,
    // Its successor has its place to itself.
    learners: learners.map((learner) => (learner.replaces === id ? { ...learner, replaces: 0 } : learner)),
  });
}

function withRemoved(removed: readonly MemberId[], gone: readonly MemberId[]): readonly MemberId[] {
  return [...removed, ...gone].slice(-REMOVED_MAX);
}

function planned(configuration: Configuration): ChangePlan {
  return { kind: 'planned', configuration };
}

function refused(reason: Exclude<PlanRefusal['reason'], 'seatTaken'>): ChangePlan {
  return { kind: 'refused', reason };
}
