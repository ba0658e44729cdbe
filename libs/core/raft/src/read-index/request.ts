/** The asker's side of ReadIndex: a follower forwards to the leader (6.4). Lost questions are asked again by the shell. */
import { type MemberState, send } from '../member-state.js';
import type { ReadReply, ReadRequest } from '../messages.js';
import type { ReadContext } from '../types.js';

/** False when no leader is known. */
export function requestRead(state: MemberState, context: ReadContext): boolean {
  if (state.role.kind === 'leader') {
    state.role.reads.waiting.push({ asker: state.config.id, session: state.session, context });
    return true;
  }
  if (state.leader === 0) return false;
  send(state, { to: state.leader }, { kind: 'readRequest', session: state.session, context }, 'nothing');
  return true;
}

export function handleReadRequest(state: MemberState, message: ReadRequest): void {
  if (state.role.kind !== 'leader') return;
  const { from, session, context } = message;
  state.role.reads.waiting.push({ asker: from, session, context });
}

export function handleReadReply(state: MemberState, message: ReadReply): void {
  const { session, context, index } = message;
  if (session === state.session) state.outbox.answerRead({ context, index });
}
