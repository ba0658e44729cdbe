import type { Control } from './control.js';
import { ELECTION_CONTROLS } from './elections.js';
import { LEASE_CONTROLS } from './leases.js';
import { MEMBERSHIP_CONTROLS } from './membership.js';
import { REPLICATION_CONTROLS } from './replication.js';
import { REQUEST_CONTROLS } from './requests.js';
import { STAMP_CONTROLS } from './stamps.js';

export type { Control } from './control.js';

export const CONTROLS: readonly Control[] = [
  ...ELECTION_CONTROLS,
  ...REPLICATION_CONTROLS,
  ...LEASE_CONTROLS,
  ...STAMP_CONTROLS,
  ...REQUEST_CONTROLS,
  ...MEMBERSHIP_CONTROLS,
];
