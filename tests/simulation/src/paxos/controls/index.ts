import type { Control } from './control.js';
import { ELECTION_CONTROLS } from './elections.js';
import { KEYED_CONTROLS } from './keyed.js';
import { LEASE_CONTROLS } from './leases.js';
import { MEMBERSHIP_CONTROLS } from './membership.js';
import { REPLICATION_CONTROLS } from './replication.js';
import { REQUEST_CONTROLS } from './requests.js';
import { STAMP_CONTROLS } from './stamps.js';
import { VERIFICATION_CONTROLS } from './verification.js';
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
  ...VERIFICATION_CONTROLS,
];
