import type { PaxosRules } from '@ringleader/paxos';
import type { Control } from './control.js';
import { ELECTION_CONTROLS } from './elections.js';
import { KEYED_CONTROLS } from './keyed.js';
import { LEASE_CONTROLS } from './leases.js';
import { MEMBERSHIP_CONTROLS } from './membership.js';
import { REPLICATION_CONTROLS } from './replication.js';
import { REQUEST_CONTROLS } from './requests.js';
import { STAMP_CONTROLS } from './stamps.js';
import { WRONG_PEER_CONTROLS } from './wrong-peers.js';

export type { Control } from './control.js';

export const CONTROLS: readonly Control[] = [
  ...ELECTION_CONTROLS,
  ...REPLICATION_CONTROLS,
  ...LEASE_CONTROLS,
  ...STAMP_CONTROLS,
  ...REQUEST_CONTROLS,
  ...KEYED_CONTROLS,
  ...MEMBERSHIP_CONTROLS,
  ...WRONG_PEER_CONTROLS,
];

/** Rules that no run here breaks with a consequence, and why. */
export const RULES_WITHOUT_CONTROL: Partial<Record<keyof PaxosRules, string>> = {
  finishApplies: 'LateCopy: a copy ends with its session, so no finish comes late; see repair-rules.spec.ts',
  markCounts:
    'MarkNeedsRow: a row is purged under a running replica only, which is not built yet; see repeats.spec.ts',
  mayHideKeyedWrite:
    'BatchHidesKeyed: wants five writes of one key in the batch that a leader loses; see keyed-requests.spec.ts',
  toldAwaitsLease:
    'ToldWithoutLease: a gateway has to forget a later leader between two attempts; see repeats.spec.ts',
  comparedWithFailFloor: 'FailFloorByOrigin: no run has 1,024 failures at one ballot; see repeats.spec.ts',
};
