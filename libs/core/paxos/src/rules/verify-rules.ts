import type { Revision } from '@ringleader/primitives';

/** docs/PROTOCOL.md 4.13: what counts as a difference, and what may be mended. */
export interface VerifyRules {
  /** Was the row written after the least position of those compared, at a position of its own? Control: VerifyPastLeast. */
  writtenSince(revision: Revision, least: Revision, position: Revision): boolean;
  /** May a tombstone be purged where no row is? Control: VerifyForgetsPurge. */
  mayBePurged(purgedTo: Revision, least: Revision): boolean;
  /** Is a tombstone as good as none? Control: VerifyForgetsPurge. */
  isPurgeable(revision: Revision, purgedTo: Revision): boolean;
  /** Control: MendsBlindly. */
  mayMend(isStillFound: boolean, hasChanged: boolean): boolean;
}

export const VERIFY_RULES: VerifyRules = {
  // What is past the position at which it was read was written by nobody.
  writtenSince: (revision, least, position) => revision > least && revision <= position,
  mayBePurged: (purgedTo, least) => purgedTo > least,
  isPurgeable: (revision, purgedTo) => revision <= purgedTo,
  mayMend: (isStillFound, hasChanged) => isStillFound && !hasChanged,
};
