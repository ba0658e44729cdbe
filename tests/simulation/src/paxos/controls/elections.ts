import type { Control } from './control.js';
import { CHURN, DUELS } from '../profiles/churn.js';
import { REUSED_BALLOT, STALE_PROMISE } from '../profiles/promises.js';
import { RANDOM } from '../profile.js';

/** docs/PROTOCOL.md 4.1: elect. */
export const ELECTION_CONTROLS: readonly Control[] = [
  {
    name: 'QuorumOne',
    broken: 'elect and commit with one replica',
    rules: {
      electionQuorum: (assignment, has) => assignment.replicas.some(has),
      committedRevision: (assignment, acknowledged) => Math.max(...assignment.replicas.map(acknowledged)),
      leaseQuorum: (assignment, has) => assignment.replicas.some(has),
    },
    profile: RANDOM,
    caughtBy: 'linearizability',
  },
  {
    name: 'SelfUnchecked',
    broken: 'a candidate installs and counts itself after it promised a higher ballot',
    rules: { candidacyStands: () => true },
    profile: DUELS,
    caughtBy: 'linearizability',
  },
  {
    name: 'PromiseNotAtomic',
    broken: 'the position answered with a promise was read before the promise was written',
    rules: { positionToldWithPromise: (_whenPromised, whenReceived) => whenReceived },
    profile: STALE_PROMISE,
    caughtBy: 'linearizability',
  },
  {
    name: 'BallotReuse',
    broken: 'own promise counts, and Prepare leaves, before it is durable; the ballot is lost with a restart',
    rules: { ownPromiseStands: () => true },
    profile: REUSED_BALLOT,
    caughtBy: 'linearizability',
  },
  {
    name: 'NoBarrier',
    broken: 'no position bump at the new ballot: commit by counting rows of an older ballot (Figure 8)',
    rules: {
      acknowledgedByPromise: (told, adopted) =>
        told.ballot === adopted.ballot && told.revision >= adopted.revision ? adopted.revision : -1,
    },
    profile: CHURN,
    caughtBy: 'acknowledged',
  },
  {
    name: 'AdoptedIsCommitted',
    broken: 'a new leader takes all it adopted as committed',
    rules: { commitAtTakeOver: (_heard, adopted) => adopted },
    profile: CHURN,
    caughtBy: 'acknowledged',
  },
  {
    name: 'RevisionOnly',
    broken: 'most advanced = greatest revision, ballot ignored',
    rules: { compareAdoptable: (a, b) => a.revision - b.revision },
    profile: CHURN,
    caughtBy: 'linearizability',
  },
];
