import type { RaftStatus } from '../raft/raft-node.js';

/** More than this many entries behind, a member answers from a past that its clients have left. */
const APPLY_LAG_MAX = 10_000;

/** Why this member should not be asked; empty when it can serve. */
export function notReadyReasons(
  status: Pick<RaftStatus, 'leader' | 'commitIndex' | 'appliedIndex'>,
): string[] {
  const reasons: string[] = [];
  if (status.leader === 0) reasons.push('no leader of the coordinators is known');
  const lag = status.commitIndex - status.appliedIndex;
  if (lag > APPLY_LAG_MAX) reasons.push(`${lag} committed entries wait to be applied`);
  return reasons;
}
