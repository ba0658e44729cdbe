/** The commit rule (3.6.2, figure 3.7: why an earlier term's entry is committed only by one of this term after it). */
import type { MemberState } from '../member-state.js';
import { quorumIndex } from '../quorum.js';
import { entrySizeBytes } from '../types.js';

export function settleByCounting(state: MemberState): void {
  const { role, log, config } = state;
  if (role.kind !== 'leader') return;
  // The leader counts itself with what its own disk has.
  const matches = [log.written, ...[...role.progress.values()].map((progress) => progress.match)];
  const index = quorumIndex(matches, config.rules.quorum(config.members.length));
  if (index <= log.commit) return;
  const term = log.termAt(index);
  if (term === null || !config.rules.maySettleByCounting(term, state.term)) return;
  const settled = log.entriesFrom(log.commit + 1, Number.MAX_SAFE_INTEGER, index);
  for (const entry of settled) role.uncommittedBytes -= entrySizeBytes(entry);
  log.commitTo(index);
}
