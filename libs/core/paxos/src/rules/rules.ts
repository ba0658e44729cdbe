/**
 * Every rule of the protocol whose absence was shown to break it is one function here, so that a test can run the
 * system with exactly that rule broken and must then find a violation (docs/PROTOCOL.md, "controls").
 */
import { ACCEPT_RULES, type AcceptRules } from './accept-rules.js';
import { ELECTION_RULES, type ElectionRules } from './election-rules.js';
import { LEASE_RULES, type LeaseRules } from './lease-rules.js';
import { MOVE_RULES, type MoveRules } from './move-rules.js';
import { PURGE_RULES, type PurgeRules } from './purge-rules.js';
import { REPAIR_RULES, type RepairRules } from './repair-rules.js';
import { REQUEST_RULES, type RequestRules } from './request-rules.js';
import { VERIFY_RULES, type VerifyRules } from './verify-rules.js';

export type PaxosRules = ElectionRules &
  AcceptRules &
  RepairRules &
  PurgeRules &
  LeaseRules &
  RequestRules &
  MoveRules &
  VerifyRules;

/** What holds while the clocks keep to docs/PROTOCOL.md 4.4.6. */
export const RULES: PaxosRules = {
  ...ELECTION_RULES,
  ...ACCEPT_RULES,
  ...REPAIR_RULES,
  ...PURGE_RULES,
  ...LEASE_RULES,
  ...REQUEST_RULES,
  ...MOVE_RULES,
  ...VERIFY_RULES,
};

/**
 * For machines whose clocks do not: a round of Confirm proves every linearizable read and failed condition (4.5.1), and
 * no follower tells an age.
 */
export const RULES_WITHOUT_LEASE: PaxosRules = {
  ...RULES,
  hasLease: () => false,
  mayStampFresh: () => false,
};
