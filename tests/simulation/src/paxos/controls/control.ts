/** The protocol with one rule broken. The checks must find a violation, or they are worth nothing. */
import type { PaxosRules } from '@ringleader/paxos';
import type { Profile } from '../profile.js';

export interface Control {
  /** As in docs/PROTOCOL.md. */
  readonly name: string;
  readonly broken: string;
  readonly rules: Partial<PaxosRules>;
  /** OldAnswerTaken breaks a rule of gateways. */
  readonly takesOldFailures?: boolean;
  /** Where to look for it. */
  readonly profile: Profile;
}
