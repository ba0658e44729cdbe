import type { Revision } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { sendBarrier, type BatchPort } from '../accept/batch-sender.js';
import { onMoreDurable } from '../accept/commit.js';
import type { Candidate } from '../partition/candidate.js';
import { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { Position } from '../records.js';
import { dropStaging } from '../accept/acceptor.js';
import { stepDown, type StepDownPort } from '../leadership/step-down.js';

export type TakeOverPort = StepDownPort &
  BatchPort &
  Port<'rules' | 'stamp' | 'transactions' | 'led' | 'releases'>;

/**
 * 4.1.5: the candidate holds all that a quorum had; from here on it leads. What it adopted is known to be committed only
 * as far as someone said so; the barrier commits the rest (4.1.6).
 */
export function takeOver(
  context: TakeOverPort,
  replica: Replica,
  candidate: Candidate,
  adopted: Position,
): void {
  const { rules, transactions } = context;
  if (!rules.candidacyStands(candidate.ballot, replica.record.promised)) {
    stepDown(context, replica, 'superseded');
    return;
  }
  const heard = greatestCommit(replica, candidate);
  const { ballot } = candidate;
  const beginsAt = firstRevision(rules, replica, adopted);
  const leader = new Leader(ballot, replica.record.epoch, { adopted, beginsAt }, context.now);
  replica.advanceCommit(rules.commitAtTakeOver(heard, adopted.revision), adopted.revision);
  replica.catchUp = null;
  replica.role = leader;
  replica.acknowledged = ballot;
  replica.keyed.begin(context.stamp(), adopted.revision);
  dropStaging(context, replica);
  context.led.add(replica);
  context.releases.drop(replica.partition);
  transactions.setRecord(replica, {
    ...replica.record,
    promised: Math.max(ballot, replica.record.promised),
    position: { ballot, revision: beginsAt },
    commitBound: replica.commit,
  });
  transactions.whenDurable(replica, () => {
    if (replica.role !== leader) return;
    leader.durableRevision = Math.max(leader.durableRevision, beginsAt);
    onMoreDurable(context, replica, leader);
  });
  for (const [ordinal, state] of candidate.answers) {
    if (ordinal === context.ordinal) continue;
    leader.progressOf(ordinal).acknowledged = rules.acknowledgedByPromise(state.position, adopted);
  }
  sendBarrier(context, replica, leader);
}

/** 6.8: a revision that was lost is never given to another write, so nobody takes one for the other. */
function firstRevision(
  rules: TakeOverPort['rules'],
  { assignment }: Replica,
  { revision }: Position,
): Revision {
  return Math.max(revision, rules.revisionAfter(assignment?.recovery?.times ?? 0));
}

function greatestCommit(replica: Replica, candidate: Candidate): number {
  let commit = replica.commit;
  for (const state of candidate.answers.values()) commit = Math.max(commit, state.commit);
  return commit;
}
