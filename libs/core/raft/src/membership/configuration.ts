/** What a configuration says (thesis 4). */
import type { Configuration, Learner, LogIndex, MemberId, Seated } from '../types.js';

export type MemberRole = 'voter' | 'learner';

/** A configuration and the index of its entry: 0 for the founders, and that of a snapshot which came without the entry. */
export interface PlacedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/** Of who knows no group yet: it follows, and never campaigns. */
export const emptyConfiguration: Configuration = { voters: [], outgoing: [], learners: [], removed: [] };

export function configurationOf(voters: readonly Seated[]): Configuration {
  return { ...emptyConfiguration, voters };
}

export function isJoint({ outgoing }: Configuration): boolean {
  return outgoing.length > 0;
}

export function idsOf(members: readonly Seated[]): MemberId[] {
  return members.map(({ id }) => id);
}

/** Of either set: each has a say while the configuration is joint. */
export function isVoter({ voters, outgoing }: Configuration, id: MemberId): boolean {
  return voters.some((voter) => voter.id === id) || outgoing.some((voter) => voter.id === id);
}

export function learnerOf({ learners }: Configuration, id: MemberId): Learner | null {
  return learners.find((learner) => learner.id === id) ?? null;
}

/** Everybody whom the leader sends its log, once. */
export function allMembers({ voters, outgoing, learners }: Configuration): Seated[] {
  const byId = new Map<MemberId, Seated>();
  for (const { id, seat } of [...voters, ...outgoing, ...learners]) byId.set(id, { id, seat });
  return [...byId.values()];
}

/** Null where a leader may have made it. */
export function configurationFault(configuration: Configuration): string | null {
  const { voters, outgoing, learners, removed } = configuration;
  const ids = allMembers(configuration).flatMap(({ id, seat }) => [id, seat]);
  if (!ids.every((number) => Number.isInteger(number) && number > 0)) {
    return 'ids and seats of members are positive integers';
  }
  const isTwice = [voters, outgoing, learners].some((set) => new Set(idsOf(set)).size < set.length);
  if (isTwice) return 'a member is named twice';
  if (learners.some(({ id }) => voters.some((voter) => voter.id === id))) {
    return 'a member is voter and learner';
  }
  if (voters.length === 0 && (outgoing.length > 0 || learners.length > 0)) return 'nobody votes';
  const members = new Set(idsOf(allMembers(configuration)));
  return removed.some((id) => members.has(id)) ? 'a removed member is a member' : null;
}
