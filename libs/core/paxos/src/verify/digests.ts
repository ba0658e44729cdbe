/** What stands for rows when replicas are held against each other (docs/PROTOCOL.md 4.13). */
import type { Revision } from '@ringleader/primitives';
import { VERIFY_RULES, type VerifyRules } from '../rules/verify-rules.js';
import type { RowDigest } from '../storage.js';

const LANES = 4;
const DIGITS = 8;

export interface RangeOf {
  /** What is newer may have changed meanwhile. */
  readonly upTo: Revision;
  /** Tombstones up to here may be gone. */
  readonly purgedTo: Revision;
}

/** Of all rows of a range together: their number, and the sum of their digests in four lanes of 32 bits. */
export function digestOfRange(
  digests: readonly RowDigest[],
  { upTo, purgedTo }: RangeOf,
  rules: VerifyRules = VERIFY_RULES,
): string {
  const sums = new Int32Array(LANES);
  let count = 0;
  for (const { revision, live, digest } of digests) {
    if (revision > upTo || (!live && rules.isPurgeable(revision, purgedTo))) continue;
    count += 1;
    for (let lane = 0; lane < LANES; lane += 1) {
      sums[lane]! += Number.parseInt(digest.slice(lane * DIGITS, (lane + 1) * DIGITS), 16) | 0;
    }
  }
  return `${count}:${[...sums].join(':')}`;
}
