import type { Control } from './control.js';
import { UNPROVEN_BARRIER } from '../profiles/unproven.js';
import { LATE_REQUESTS } from '../profiles/late-requests.js';
import { EXPIRING, EXPIRING_SCANS, SCANNED_LEADER, SCANNED_REPLICAS } from '../profiles/scans.js';
import { SPLIT_LEADER } from '../profiles/leases.js';
import { RANDOM } from '../profile.js';
import { SLOW_READS } from '../profiles/churn.js';

/** docs/PROTOCOL.md 4.5.2 and 4.7: stale reads, conditions, repeats. */
export const REQUEST_CONTROLS: readonly Control[] = [
  {
    name: 'KnowsEarlierLives',
    broken: 'what is in no memory is taken to be absent, also where rows were written in an earlier life',
    rules: { knowsAllKeys: () => true },
    profile: RANDOM,
    caughtBy: 'linearizability',
  },
  {
    name: 'CondOnCommitted',
    broken: 'condition decided on committed state while a write to the key is in flight',
    rules: { rowToDecideOn: (_newest, settled) => settled },
    profile: RANDOM,
    caughtBy: 'linearizability',
  },
  {
    name: 'FailOnUncommitted',
    broken: 'failed condition answered from a row that is not committed',
    rules: { failureAwaits: () => 0 },
    profile: RANDOM,
    caughtBy: 'failed conditions',
  },
  {
    name: 'FailWithoutLease',
    broken: 'failed condition answered without lease or confirmed ballot',
    rules: { failureAwaitsLease: () => false },
    profile: SPLIT_LEADER,
    caughtBy: 'linearizability',
  },
  {
    name: 'FailBeforeBarrier',
    broken: 'failed condition answered before the barrier is committed',
    rules: { failureAwaitsBarrier: () => false },
    profile: UNPROVEN_BARRIER,
    caughtBy: 'answers',
  },
  {
    name: 'LastIdOnly',
    broken: 'dedupe by the last request id of the row only',
    rules: { marksPerRow: () => 1, isForgotten: () => false },
    profile: LATE_REQUESTS,
    caughtBy: 'applied once',
  },
  {
    name: 'DedupeBeforeCommit',
    broken: 'a repeated request is answered from a row that is not committed',
    rules: { repeatAwaits: () => 0 },
    profile: LATE_REQUESTS,
    caughtBy: 'linearizability',
  },
  {
    name: 'AnyLeaderRuns',
    broken: 'a request is run by whichever leader it reaches, not only the ballot it names',
    rules: { leaderRuns: () => true },
    profile: LATE_REQUESTS,
    caughtBy: 'answers',
  },
  {
    name: 'NoFailMemory',
    broken: 'a leader does not remember the failed conditions it answered',
    rules: { remembersFailures: () => false },
    profile: LATE_REQUESTS,
    caughtBy: 'answers',
  },
  {
    name: 'OldAnswerTaken',
    broken: 'gateway takes the failed answer of an earlier attempt',
    rules: {},
    takesOldFailures: true,
    profile: LATE_REQUESTS,
    caughtBy: 'linearizability',
  },
  {
    name: 'CommitReadAfterRow',
    broken: 'a stale read compares its row with a commit point taken after the row was read',
    rules: { commitForStaleRead: (_takenBefore, now) => now },
    profile: SLOW_READS,
    caughtBy: 'stale read',
  },
  {
    name: 'ExpiryForgets',
    broken: 'the tombstone of an expiry carries no marks',
    rules: { marksOfExpired: () => [] },
    profile: EXPIRING,
    caughtBy: 'applied once',
  },
  {
    name: 'ExpiryPassesBackPressure',
    broken: 'expired rows that are met get their tombstones however much is in flight',
    rules: { expiryMayBeDecided: () => true },
    profile: EXPIRING_SCANS,
    caughtBy: 'in flight',
  },
  {
    name: 'ScanWithoutLease',
    broken: 'a linearizable scan is answered without lease or confirmed ballot',
    rules: { scanAwaitsLease: () => false },
    profile: SCANNED_LEADER,
    caughtBy: 'linearizable scan',
  },
  {
    name: 'StaleScanUnsettled',
    broken: 'a stale scan looks at the position when it answers only, which a repair in between moved back',
    rules: { scanIsSettled: () => true },
    profile: SCANNED_REPLICAS,
    caughtBy: 'stale scan',
  },
];
