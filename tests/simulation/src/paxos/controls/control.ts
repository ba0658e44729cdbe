/** The protocol with one rule broken. The checks must find a violation, or they are worth nothing. */
import type { PaxosRules } from '@ringleader/paxos';
import type { CheckId } from '../checks.js';
import type { Profile } from '../profile.js';
import type { BrokenSurroundings } from '../settings.js';

export interface Control extends BrokenSurroundings {
  /** As in docs/PROTOCOL.md. */
  readonly name: string;
  readonly broken: string;
  readonly rules: Partial<PaxosRules>;
  /** Where to look for it. */
  readonly profile: Profile;
  /** The check that must find it: in a run of this control no other one counts. */
  readonly caughtBy: CheckId;
}
