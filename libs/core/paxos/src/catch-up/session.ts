/** A replica on its way to another's rows: what it asks is repeated until answered, and given up when nobody answers. */
import type { Ballot, ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { ShardMessage } from '../messages.js';
import type { CatchUp } from '../partition/catch-up.js';
import type { Replica } from '../partition/replica.js';

export type SessionPort = Port<'now' | 'timings' | 'outbox' | 'transactions' | 'wakeups' | 'pace' | 'peers'>;

/** An answer of a megabyte may stand behind many others: who is heard of gets so many times the patience. */
const PATIENCE_WITH_THE_LIVING = 20;
/** That a copy cannot be finished shows in nothing else: it is at its source's position already. */
const PATIENCE_WITH_A_FINISH = 4;

/** Sends a request, when all that it states is durable, and repeats it until it is answered. */
export function ask(context: SessionPort, replica: Replica, session: CatchUp, request: ShardMessage): void {
  context.transactions.whenDurable(replica, () => {
    if (replica.catchUp !== session) return;
    session.request = request;
    session.requestedAt = context.now;
    session.progressedAt = context.now;
    context.outbox.send(session.source, request);
    context.wakeups.at(replica, context.now + context.timings.resendIntervalMs);
  });
}

/** The present session with this source and ballot, if the message belongs to one. */
export function sessionOf(replica: Replica, from: ShardOrdinal, ballot: Ballot): CatchUp | null {
  const session = replica.catchUp;
  return session !== null && session.source === from && session.ballot === ballot ? session : null;
}

/** The partition woke while it is brought up to date. */
export function catchUpDue(context: SessionPort, replica: Replica, session: CatchUp): void {
  const { resendIntervalMs } = context.timings;
  const patienceMs = timesPatience(context, session) * context.pace.patienceMs;
  if (!session.isListing && context.now >= session.progressedAt + patienceMs) {
    // A leader offers again; a candidate gives up by itself.
    replica.catchUp = null;
    return;
  }
  if (session.request !== null && context.now >= session.requestedAt + 2 * resendIntervalMs) {
    session.requestedAt = context.now;
    context.outbox.send(session.source, session.request);
  }
  context.wakeups.at(replica, context.now + resendIntervalMs);
}

function timesPatience({ peers, now }: SessionPort, { source, request }: CatchUp): number {
  if (!peers.isAlive(source, now)) return 1;
  return request?.kind === 'finishRequest' ? PATIENCE_WITH_A_FINISH : PATIENCE_WITH_THE_LIVING;
}
