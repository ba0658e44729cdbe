import { onStated, type AcknowledgementPort } from '../accept/acknowledgements.js';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { PrepareRefused, Promised, ReplicaState } from '../messages.js';
import { samePosition } from '../ballot.js';
import type { Candidate } from '../partition/candidate.js';
import type { Replica } from '../partition/replica.js';
import { beginCatchUp, type RepairPort } from '../catch-up/repair-receiver.js';
import { giveUp, type StepDownPort } from '../leadership/step-down.js';
import { takeOver, type TakeOverPort } from './take-over.js';

export type AdoptPort = RepairPort &
  AcknowledgementPort &
  StepDownPort &
  TakeOverPort &
  Port<'now' | 'ordinal' | 'rules' | 'wakeups'>;

export function onPromised(
  context: AdoptPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Promised,
): void {
  const candidate = replica.candidate;
  if (candidate === null || candidate.ballot !== message.ballot) {
    onStated(context, replica, from, message);
    return;
  }
  if (!candidate.answers.has(context.ordinal) || !replica.voters.includes(from)) return;
  const { position, commit, purgedTo } = message;
  replica.heardCommit = Math.max(replica.heardCommit, commit);
  candidate.answers.set(from, { position, commit, purgedTo });
  adoptWithQuorum(context, replica, candidate);
}

/** 4.1.4: with promises from a quorum, brings itself to the greatest position among them. */
export function adoptWithQuorum(context: AdoptPort, replica: Replica, candidate: Candidate): void {
  const { assignment } = replica;
  if (candidate.adopting || assignment === null) return;
  if (!context.rules.electionQuorum(assignment, (ordinal) => candidate.answers.has(ordinal))) return;
  candidate.adopting = true;
  const best = mostAdvanced(context, replica, candidate);
  if (best === null || best.ordinal === context.ordinal) {
    takeOver(context, replica, candidate, replica.record.position);
    return;
  }
  const { commit, purgedTo } = best.state;
  beginCatchUp(context, replica, {
    source: best.ordinal,
    ballot: candidate.ballot,
    commit,
    purgedTo,
    whenInstalled: (to) => takeOver(context, replica, candidate, to),
  });
}

interface Answer {
  readonly ordinal: ShardOrdinal;
  readonly state: ReplicaState;
}

/** The own position stands where another is not greater: nothing needs to be fetched then. */
function mostAdvanced(context: AdoptPort, replica: Replica, candidate: Candidate): Answer | null {
  const own = candidate.answers.get(context.ordinal);
  let best: Answer | null = own === undefined ? null : { ordinal: context.ordinal, state: own };
  for (const ordinal of replica.voters) {
    const state = candidate.answers.get(ordinal);
    if (state === undefined) continue;
    const greater = best === null || context.rules.compareAdoptable(state.position, best.state.position) > 0;
    if (greater && !(best !== null && samePosition(state.position, best.state.position))) {
      best = { ordinal, state };
    }
  }
  return best;
}

export function onPrepareRefused(context: AdoptPort, replica: Replica, message: PrepareRefused): void {
  replica.noteSeen(message.promised, context.now);
  const candidate = replica.candidate;
  if (candidate === null || candidate.ballot !== message.ballot) return;
  if (message.promised > candidate.ballot) {
    if (!candidate.adopting) giveUp(context, replica);
    return;
  }
  // A grant stands against it, and may be released at any time: the Prepare is repeated, the ballot kept.
  const { now } = context;
  candidate.askedSince = Math.max(candidate.askedSince, now + message.retryInMs);
  candidate.askAgainAt = Math.min(candidate.askAgainAt, now + Math.max(1, message.retryInMs));
  context.wakeups.at(replica, candidate.askAgainAt);
}
