/**
 * The checks by the names that they fail with. Names are stable: each negative control names the one that must find it.
 * The first group is what a client could notice; the second looks inside, and is stricter.
 */
import { SimulationFailure } from '@ringleader/testing-simulation';

export const CHECKS = {
  acknowledged: 'a write that was acknowledged is not committed, or as another one',
  'applied once': 'a write is committed twice',
  answers: "a write that was answered 'failed', or refused by all, is committed",
  conditions: 'a write is committed where its condition does not hold',
  'failed conditions': "a condition was answered 'failed' though it held all the time",
  'absent deletes': "a delete was answered 'absent' though the key was there all the time",
  'linearizable read': 'a read lacks what was committed before it was asked, or shows what is not committed',
  'linearizable scan': 'the same of a scan',
  'stale read': 'a stale read shows what is not committed, or hides what is',
  'stale scan': 'the same of a stale scan',
  staleness: 'an answer is older than it says',
  expiry: 'an expired row was shown as live, or a row went before its time, or with what it remembered',
  linearizability: 'no order of what clients saw is that of a sequential store',
  liveness: 'no recovery after the last fault',

  'one leader per ballot': 'a ballot is used by two shards, lives or epochs',
  'log matching': "one revision of a ballot's history is two writes",
  agreement: 'one revision is committed as two writes',
  'elected leader': 'a new leader lacks what was committed at lower ballots',
  'rows of a position': 'equal positions with different rows',
  record: 'a record went back, or contradicts itself',
  'commit point': 'a replica believes committed what is not',
  'replica state': 'rows at or before a commit point are not the committed ones',
  'in flight': 'a leader has more revisions in flight than a repair can undo',
  integrity: 'a row is not what its request asked for',
  versions: 'a version does not count the writes of its key',
  plausible: 'a shard was told what no honest shard says',
  'move reports': 'a shard reports of a move of replicas what is not so',
  verification: 'replicas that were never told apart are said to differ',
  epochs: 'a ballot of an epoch that there never was',
  invariant: 'the core found itself in a state that it holds for impossible',
} as const;

export type CheckId = keyof typeof CHECKS;

export function fail(check: CheckId, what: string): never {
  throw new SimulationFailure(check, what);
}
