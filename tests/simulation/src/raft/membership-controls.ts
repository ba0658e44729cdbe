/** Raft with one of the rules broken by which a group changes, or reads by a lease. */
import { type Configuration, idsOf, type MemberId, type Seated } from '@ringleader/raft';
import type { Control } from './controls.js';
import { changing } from './profiles/changing.js';
import { learnersAlone } from './profiles/learners-alone.js';
import { overtakenChange } from './profiles/overtaken-change.js';
import { leasedLeader } from './profiles/isolated-leader.js';

const profile = changing;

export const membershipControls: readonly Control[] = [
  {
    name: 'PromoteLagging',
    broken: 'a learner becomes a voter before it has what the log was when it came',
    rules: { mayBePromoted: () => true },
    caughtBy: 'readiness of voters',
    profile,
  },
  {
    name: 'NewSetDecidesAlone',
    broken: 'a majority of the new set is enough while the configuration is joint',
    rules: { setsToAgree: ({ voters }) => [idsOf(voters)] },
    caughtBy: 'joint majorities',
    profile,
  },
  {
    name: 'OldSetDecidesAlone',
    broken: 'a majority of the old set is enough while the configuration is joint',
    rules: { setsToAgree: ({ voters, outgoing }) => [idsOf(outgoing.length > 0 ? outgoing : voters)] },
    caughtBy: 'joint majorities',
    profile,
  },
  {
    name: 'JointAsOneSet',
    broken: 'a joint configuration is one set of all its voters',
    rules: { setsToAgree: ({ voters, outgoing }) => [union(voters, outgoing)] },
    caughtBy: 'joint majorities',
    profile,
  },
  {
    name: 'LeaveJointEarly',
    broken: 'a joint configuration is left before it is committed',
    rules: { mayLeaveJoint: () => true },
    caughtBy: 'joint majorities',
    profile,
  },
  {
    name: 'ConfigurationNotUndone',
    broken: 'a configuration stays in force when its entry is truncated',
    rules: { isUndone: () => false },
    caughtBy: 'configuration in force',
    profile: overtakenChange,
  },
  {
    name: 'InForceOnCommit',
    broken: 'a configuration is in force when it is committed, not when it is appended',
    rules: { inForce: (_newest, committed) => committed },
    caughtBy: 'joint majorities',
    profile,
  },
  {
    name: 'RemovedIdJoins',
    broken: 'an id that was removed is added again',
    rules: { mayJoin: () => true },
    caughtBy: 'invariant',
    profile,
  },
  {
    name: 'RemovedIsHeard',
    broken: 'who is removed is not told so',
    rules: { isBarred: () => false },
    caughtBy: 'liveness',
    profile,
  },
  {
    name: 'RemovedCounts',
    broken: 'who is removed goes on counting',
    rules: { setsToAgree: withRemoved },
    caughtBy: 'liveness',
    profile,
  },
  {
    name: 'LearnersCount',
    broken: 'learners vote and are counted',
    rules: { setsToAgree: withLearners },
    caughtBy: 'durability',
    profile: learnersAlone,
  },
  {
    name: 'SnapshotForgetsConfiguration',
    broken: 'a snapshot names the founders, whoever is in the group by then',
    rules: {},
    identities: { inSnapshot: (_asOf, founding) => founding },
    caughtBy: 'configuration of snapshots',
    profile,
  },
  {
    name: 'LeaseBeyondDrift',
    broken: 'a lease is taken to last for three times as long as the clocks may be trusted',
    rules: { isLeaseRunning: (elapsedMs, lengthMs) => elapsedMs < 3 * lengthMs },
    caughtBy: 'linearizable reads',
    profile: leasedLeader,
  },
];

function union(...sets: readonly (readonly { readonly id: MemberId }[])[]): MemberId[] {
  return [...new Set(sets.flat().map(({ id }) => id))];
}

function withLearners(configuration: Configuration): MemberId[][] {
  return setsOf(configuration).map((set) => union(set, configuration.learners));
}

function withRemoved(configuration: Configuration): MemberId[][] {
  return setsOf(configuration).map((set) => [...new Set([...idsOf(set), ...configuration.removed])]);
}

function setsOf({ voters, outgoing }: Configuration): (readonly Seated[])[] {
  return outgoing.length > 0 ? [voters, outgoing] : [voters];
}
