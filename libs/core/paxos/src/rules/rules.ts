/**
 * Every rule of the protocol whose absence was shown to break it is one function here, so that a test can run the
 * system with exactly that rule broken and must then find a violation (docs/PROTOCOL.md, "controls").
 */
import { ACCEPT_RULES, type AcceptRules } from './accept-rules.js';
import { ELECTION_RULES, type ElectionRules } from './election-rules.js';
import { LEASE_RULES, type LeaseRules } from './lease-rules.js';
import { REPAIR_RULES, type RepairRules } from './repair-rules.js';
import { REQUEST_RULES, type RequestRules } from './request-rules.js';

export type PaxosRules = ElectionRules & AcceptRules & RepairRules & LeaseRules & RequestRules;

export const RULES: PaxosRules = {
  ...ELECTION_RULES,
  ...ACCEPT_RULES,
  ...REPAIR_RULES,
  ...LEASE_RULES,
  ...REQUEST_RULES,
};
