/** How a member changes its role (thesis 3.4), and what it forgets when it does. */
import { invariant } from '@ringleader/primitives';
import { memberIds, type MemberState, setLeader, setTerm } from '../member-state.js';
import { appendOwn } from '../proposals/append-own.js';
import { newLeaderReads } from '../read-index/reads.js';
import type { StepDownReason } from '../ready.js';
import { Tracker } from '../tracker/tracker.js';
import { type MemberId, entryKinds, entrySizeBytes, type Term } from '../types.js';

/** Anew at each change, so that no two members stay in step. */
export function resetTimer(state: MemberState): void {
  const { electionTimeoutTicks } = state.config.timings;
  state.elapsedTicks = 0;
  state.electionTimeoutTicks = electionTimeoutTicks + state.config.random.nextBelow(electionTimeoutTicks);
}

/** Also adopts a higher term, in which it has not voted yet. */
export function becomeFollower(state: MemberState, term: Term, leader: MemberId): void {
  invariant(term >= state.term, 'a term never goes back');
  if (term > state.term) setTerm(state, term, 0);
  state.role = { kind: 'follower' };
  resetTimer(state);
  setLeader(state, leader);
}

export function stepDown(state: MemberState, term: Term, reason: StepDownReason): void {
  state.outbox.note({ kind: 'steppedDown', term: state.term, reason });
  becomeFollower(state, term, 0);
}

/** Asks for votes without raising its term: a member that cannot win disturbs nobody (9.6). */
export function becomePreCandidate(state: MemberState): void {
  state.role = { kind: 'preCandidate', votes: new Map([[state.config.id, true]]) };
  resetTimer(state);
  setLeader(state, 0);
  state.outbox.note({ kind: 'candidacy', term: state.term + 1, preVote: true });
}

/** Its vote for itself counts when it is on disk, as any other. */
export function becomeCandidate(state: MemberState): void {
  setTerm(state, state.term + 1, state.config.id);
  state.role = { kind: 'candidate', votes: new Map() };
  resetTimer(state);
  setLeader(state, 0);
  state.outbox.note({ kind: 'candidacy', term: state.term, preVote: false });
}

export function becomeLeader(state: MemberState): void {
  const { log, config } = state;
  const next = log.lastIndex + 1;
  const uncommitted = log.entriesFrom(log.commit + 1, Number.MAX_SAFE_INTEGER);
  const tracker = new Tracker(config.id, config.limits);
  tracker.follow(memberIds(state), next);
  state.role = {
    kind: 'leader',
    tracker,
    reads: newLeaderReads(),
    termStartIndex: next,
    forwardedIds: new Map(),
    uncommittedBytes: uncommitted.reduce((sum, entry) => sum + entrySizeBytes(entry), 0),
    ticksSinceHeartbeat: 0,
    ownDisk: { written: log.written, ticksStill: 0 },
    isLeaseVoid: false,
    transfer: null,
    outgoingSnapshot: null,
  };
  resetTimer(state);
  setLeader(state, config.id);
  // Nothing of earlier terms can be committed, and no read answered, before an entry of this term is (3.6.2, 6.4).
  appendOwn(state, state.role, entryKinds.noop, [new Uint8Array()]);
}
