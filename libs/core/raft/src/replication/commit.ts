/** The commit rule (3.6.2, figure 3.7: why an earlier term's entry is committed only by one of this term after it). */
import { configurationOfLog, type MemberState } from '../member-state.js';
import { jointIndex } from '../quorum/joint.js';
import { entrySizeBytes, type LogIndex, type MemberId } from '../types.js';

export function settleByCounting(state: MemberState): void {
  const { role, log, config } = state;
  if (role.kind !== 'leader') return;
  // The leader counts itself with what its own disk has.
  const { rules } = config;
  const matchOf = (id: MemberId): LogIndex => role.tracker.matchOf(id, log.written);
  const index = jointIndex(rules.setsToAgree(configurationOfLog(state)), matchOf, rules.quorum);
  if (index <= log.commit) return;
  const term = log.termAt(index);
  if (term === null || !rules.maySettleByCounting(term, state.term)) return;
  const settled = log.entriesFrom(log.commit + 1, Number.MAX_SAFE_INTEGER, index);
  for (const entry of settled) role.uncommittedBytes -= entrySizeBytes(entry);
  log.commitTo(index);
}
