/**
 * The replica's half of a copy (docs/PROTOCOL.md 4.3.4 to 4.3.6): pages into a staging generation, further passes for
 * what changed meanwhile, a finish, and one atomic switch. Until then the replica is what it was.
 */
import { leastEnd, type Revision, type ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { CopyRequired, Finish, Page } from '../messages.js';
import { dropUnusedGenerations, leaveOtherBallot, type AcceptorPort } from '../accept/acceptor.js';
import { comparePositions } from '../ballot.js';
import type { Replica } from '../partition/replica.js';
import type { Staging } from '../records.js';
import type { AskedPage, CatchUp } from '../partition/catch-up.js';
import { listStoredKeys, type ListingPort } from './key-listing.js';
import { installed, type InstallPort } from './install.js';
import { ask, sessionOf, type SessionPort } from './session.js';

export type CopyPort = AcceptorPort &
  ListingPort &
  InstallPort &
  SessionPort &
  Port<'now' | 'rules' | 'outbox' | 'transactions' | 'nextGeneration'>;

/** Goes on with a copy that an earlier leader began, or begins one. */
export function beginCopy(context: CopyPort, replica: Replica, session: CatchUp): void {
  const { staging } = replica.record;
  const { rules } = context;
  const usable =
    staging !== null &&
    rules.pageFromPresentLeader(session.ballot, staging) &&
    !rules.purgedPastBase(session.purgedTo, staging.base);
  if (usable) goOn(context, replica, session);
  else beginAnew(context, replica, session);
}

function beginAnew(context: CopyPort, replica: Replica, session: CatchUp): void {
  const { record } = replica;
  const copyId = context.nextGeneration();
  const staging: Staging = {
    copyId,
    generation: copyId,
    ballot: session.ballot,
    base: session.commit,
    nextBase: session.commit,
    purgedTo: session.purgedTo,
    dedupeFloor: 0,
    nextKey: '',
    pass: 1,
  };
  context.transactions.setRecord(replica, { ...record, staging });
  dropUnusedGenerations(context, replica, [record.staging?.generation]);
  context.outbox.event({ kind: 'copyStarted', partition: replica.partition, copyId });
  goOn(context, replica, session);
}

/** The next request of the copy, once the progress so far is durable. */
function goOn(context: CopyPort, replica: Replica, session: CatchUp): void {
  session.request = null;
  session.progressedAt = context.now;
  context.transactions.whenDurable(replica, () => {
    const { staging } = replica.record;
    if (replica.catchUp !== session || staging === null) return;
    session.progressedAt = context.now;
    if (staging.nextKey === null) askFinish(context, replica, session, staging);
    else askPage(context, replica, session, { staging, start: staging.nextKey });
  });
}

function askPage(
  context: CopyPort,
  replica: Replica,
  session: CatchUp,
  { staging, start }: { staging: Staging; start: string },
): void {
  const { copyId, pass, generation } = staging;
  const request = {
    kind: 'pageRequest',
    partition: replica.partition,
    epoch: replica.record.epoch,
    ballot: session.ballot,
    copyId,
    pass,
    start,
  } as const;
  if (pass === 1) {
    replica.askedPage = { copyId, pass, start, keysEnd: null };
    ask(context, replica, session, { ...request, base: 0, keys: [] });
    return;
  }
  // 4.3.5: the present rows of staged keys past the base are asked for too: theirs may never have been chosen.
  listStoredKeys(context, replica, { session, base: staging.base, generation, start }, (listed) => {
    if (replica.catchUp !== session || replica.record.staging !== staging) return;
    replica.askedPage = { copyId, pass, start, keysEnd: listed.end };
    ask(context, replica, session, {
      ...request,
      base: staging.base,
      keys: context.rules.keysToUndo(listed.keys),
    });
  });
}

function askFinish(context: CopyPort, replica: Replica, session: CatchUp, staging: Staging): void {
  const { base, generation, copyId } = staging;
  listStoredKeys(context, replica, { session, base, generation, start: '' }, (listed) => {
    if (replica.catchUp !== session || replica.record.staging !== staging) return;
    if (listed.end !== null) {
      anotherPass(context, replica, session, staging);
      return;
    }
    ask(context, replica, session, {
      kind: 'finishRequest',
      partition: replica.partition,
      epoch: replica.record.epoch,
      ballot: session.ballot,
      copyId,
      base,
      keys: context.rules.keysToUndo(listed.keys),
    });
  });
}

/** 4.3.5: its base becomes the base only when the pass is through. */
function anotherPass(context: CopyPort, replica: Replica, session: CatchUp, staging: Staging): void {
  const nextBase = Math.max(staging.base, session.commit);
  const base = context.rules.baseDuringPass(staging.base, nextBase);
  context.transactions.setRecord(replica, {
    ...replica.record,
    staging: { ...staging, base, nextBase, nextKey: '', pass: staging.pass + 1, ballot: session.ballot },
  });
  goOn(context, replica, session);
}

export function onCopyRequired(
  context: CopyPort,
  replica: Replica,
  from: ShardOrdinal,
  message: CopyRequired,
): void {
  const session = sessionOf(replica, from, message.ballot);
  if (session === null || session.request === null) return;
  session.commit = message.commit;
  session.purgedTo = message.purgedTo;
  const { staging } = replica.record;
  const finishing = session.request.kind === 'finishRequest';
  if (!finishing && session.request.kind !== 'deltaRequest') return;
  session.request = null;
  const passIsOver = staging !== null && finishing && !isPurgedPast(context, session, staging);
  if (passIsOver) anotherPass(context, replica, session, staging);
  else beginCopy(context, replica, session);
}

function isPurgedPast(context: CopyPort, session: CatchUp, staging: Staging): boolean {
  return context.rules.purgedPastBase(session.purgedTo, staging.base);
}

/** The source purged past the base; or the base was never its commit point, which does not go back at a ballot. */
function isUseless(
  context: CopyPort,
  session: CatchUp,
  { staging, message }: { staging: Staging; message: Page | Finish },
): boolean {
  const { ballot, commit } = message;
  return isPurgedPast(context, session, staging) || (ballot === staging.ballot && commit < staging.base);
}

/** 4.3.4: one page, stored with the progress. */
export function onPage(context: CopyPort, replica: Replica, from: ShardOrdinal, message: Page): void {
  const { staging } = replica.record;
  const session = sessionOf(replica, from, message.ballot);
  const { askedPage } = replica;
  if (session === null || staging === null || askedPage === null) return;
  if (!isNextPage(context, replica, { askedPage, staging, message })) return;
  session.commit = message.commit;
  session.purgedTo = message.purgedTo;
  if (isUseless(context, session, { staging, message })) beginAnew(context, replica, session);
  else storePage(context, replica, session, { askedPage, staging, message });
}

interface PageOfCopy {
  readonly askedPage: AskedPage;
  readonly staging: Staging;
  readonly message: Page;
}

function isNextPage(
  context: CopyPort,
  replica: Replica,
  { askedPage, staging, message }: PageOfCopy,
): boolean {
  const { rules } = context;
  if (!rules.mayAccept(message.ballot, replica.record.promised)) return false;
  if (!rules.pageFromPresentLeader(message.ballot, staging)) return false;
  const { copyId, pass, start } = message;
  const isAsked = askedPage.copyId === copyId && askedPage.pass === pass && askedPage.start === start;
  return isAsked && copyId === staging.copyId && pass === staging.pass && start === staging.nextKey;
}

function storePage(
  context: CopyPort,
  replica: Replica,
  session: CatchUp,
  { askedPage, staging, message }: PageOfCopy,
): void {
  const { rules, transactions } = context;
  const { record } = replica;
  const generation = rules.pageGeneration(record, staging);
  for (const row of message.rows) transactions.upsert(replica, generation, row);
  for (const key of message.absent) transactions.remove(replica, generation, key);
  const nextKey = leastEnd(message.nextKey, askedPage.keysEnd);
  transactions.setRecord(replica, {
    ...record,
    staging: {
      ...staging,
      ballot: Math.max(message.ballot, staging.ballot),
      base: nextKey === null ? staging.nextBase : staging.base,
      purgedTo: rules.purgePointOfCopy(staging.purgedTo, message.purgedTo),
      dedupeFloor: rules.floorOfCopy(staging.dedupeFloor, message.dedupeFloor),
      nextKey,
    },
  });
  goOn(context, replica, session);
}

/** 4.3.5, 4.3.6: the rest of the staged rows, and the switch, in one transaction. */
export function onFinish(context: CopyPort, replica: Replica, from: ShardOrdinal, message: Finish): void {
  const { rules, transactions } = context;
  const { record } = replica;
  const { staging } = record;
  const session = sessionOf(replica, from, message.ballot);
  if (session === null || !rules.mayAccept(message.ballot, record.promised)) return;
  if (staging === null || !isEndOf(staging, message)) return;
  // A batch ends the session, so of a source that is right this holds; another one does not lead back.
  if (comparePositions(message.to, record.position) <= 0) return;
  if (!rules.pageFromPresentLeader(message.ballot, staging)) return;
  session.commit = message.commit;
  session.purgedTo = message.purgedTo;
  if (isUseless(context, session, { staging, message })) {
    beginAnew(context, replica, session);
    return;
  }
  leaveOtherBallot(context, replica, message.ballot);
  const { generation, copyId } = staging;
  for (const row of message.rows) transactions.upsert(replica, generation, row);
  for (const key of message.absent) transactions.remove(replica, generation, key);
  installed(context, replica, {
    session,
    to: message.to,
    commit: commitOfCopy(context, replica, message, staging.base),
    purgedTo: rules.purgePointOfCopy(staging.purgedTo, message.purgedTo),
    dedupeFloor: Math.max(record.dedupeFloor, rules.floorOfCopy(staging.dedupeFloor, message.dedupeFloor)),
    generation,
  });
  replica.recent.reset(staging.base, message.rows);
  context.outbox.event({ kind: 'copyFinished', partition: replica.partition, copyId });
}

function isEndOf({ copyId, nextKey, base }: Staging, message: Finish): boolean {
  return nextKey === null && message.copyId === copyId && message.base === base;
}

function commitOfCopy(context: CopyPort, replica: Replica, message: Finish, base: Revision): Revision {
  const told = Math.min(Math.max(message.commit, base), message.to.revision);
  return context.rules.commitAfterInstall(replica.commit, told);
}
