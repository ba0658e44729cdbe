/** What is told of a revision that is no longer kept, and why. */
import { OperationalError } from '../errors/operational-error.js';

/** So far above its snapshot a restored group goes on: nobody has seen a revision from there. */
export const RESTORED_REVISION_LEAP = 1_000_000_000;
/** Of the leap: the rest is what was written after the snapshot, and is lost. */
const SURELY_RESTORED = 0.9;

/** `asked` is what was to be read, watched or compacted; null where that is not known any more. */
export function compactedError(asked: number | null, compactedRevision: number): OperationalError {
  if (asked === null || compactedRevision - asked < RESTORED_REVISION_LEAP * SURELY_RESTORED) {
    const what = asked === null ? 'The revision' : `Revision ${asked}`;
    const detail = `${what} is no longer kept: the oldest that is kept is ${compactedRevision}`;
    return new OperationalError('COMPACTED', detail, { compactedRevision });
  }
  const detail =
    `Revision ${asked} was before the coordinators were restored from a snapshot: the cluster has another id now, ` +
    `and its revisions go on from ${compactedRevision}. List anew, and watch from there`;
  return new OperationalError('COMPACTED', detail, { compactedRevision, restored: true });
}
