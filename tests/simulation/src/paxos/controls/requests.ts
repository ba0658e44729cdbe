import type { Control } from './control.js';
import { UNPROVEN_BARRIER } from '../profiles/unproven.js';
import { LATE_REQUESTS } from '../profiles/late-requests.js';
import { SPLIT_LEADER } from '../profiles/leases.js';
import { RANDOM } from '../profile.js';
import { SLOW_READS } from '../profiles/churn.js';

/** docs/PROTOCOL.md 4.5.2 and 4.7: stale reads, conditions, repeats. */
export const REQUEST_CONTROLS: readonly Control[] = [
  {
    name: 'CondOnCommitted',
    broken: 'condition decided on committed state while a write to the key is in flight',
    rules: { rowToDecideOn: (_newest, settled) => settled },
    profile: RANDOM,
  },
  {
    name: 'FailOnUncommitted',
    broken: 'failed condition answered from a row that is not committed',
    rules: { failureAwaits: () => 0 },
    profile: RANDOM,
  },
  {
    name: 'FailWithoutLease',
    broken: 'failed condition answered without lease or confirmed ballot',
    rules: { failureAwaitsLease: () => false },
    profile: SPLIT_LEADER,
  },
  {
    name: 'FailBeforeBarrier',
    broken: 'failed condition answered before the barrier is committed',
    rules: { failureAwaitsBarrier: () => false },
    profile: UNPROVEN_BARRIER,
  },
  {
    name: 'LastIdOnly',
    broken: 'dedupe by the last request id of the row only',
    rules: { marksPerRow: () => 1, isForgotten: () => false },
    profile: LATE_REQUESTS,
  },
  {
    name: 'RepeatIsNew',
    broken: 'a keyed write that the row has forgotten counts as first attempted when it arrives',
    rules: { earliestAttempt: (_requestId, origin) => origin },
    profile: LATE_REQUESTS,
  },
  {
    name: 'NoKeyedMemory',
    broken: 'a replica forgets the keyed writes that it saw pass, and still vouches for them',
    rules: { recalled: () => undefined },
    profile: LATE_REQUESTS,
  },
  {
    name: 'DedupeBeforeCommit',
    broken: 'a repeated request is answered from a row that is not committed',
    rules: { repeatAwaits: () => 0 },
    profile: LATE_REQUESTS,
  },
  {
    name: 'AnyLeaderRuns',
    broken: 'a request is run by whichever leader it reaches, not only the ballot it names',
    rules: { leaderRuns: () => true },
    profile: LATE_REQUESTS,
  },
  {
    name: 'NoFailMemory',
    broken: 'a leader does not remember the failed conditions it answered',
    rules: { remembersFailures: () => false },
    profile: LATE_REQUESTS,
  },
  {
    name: 'OldAnswerTaken',
    broken: 'gateway takes the failed answer of an earlier attempt',
    rules: {},
    takesOldFailures: true,
    profile: LATE_REQUESTS,
  },
  {
    name: 'CommitReadAfterRow',
    broken: 'a stale read compares its row with a commit point taken after the row was read',
    rules: { commitForStaleRead: (_takenBefore, now) => now },
    profile: SLOW_READS,
  },
];
