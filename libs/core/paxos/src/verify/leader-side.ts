/**
 * The leader's half of a comparison (docs/PROTOCOL.md 4.13): range by range it asks the other voters for one digest, where
 * that differs for one of each row, and where rows differ has them mended by what most replicas have.
 */
import { compareKeys, type ShardOrdinal } from '@ringleader/primitives';
import type { Mended, RowTold, ShardMessage, Verified } from '../messages.js';
import type { Port } from '../parts.js';
import type { Row } from '../records.js';
import { differencesOf, type Difference, type RangeView } from './compare.js';
import { digestOfRange } from './digests.js';
import { mendRow, readFound, type MendingPort } from './mending.js';
import { rangeLimits } from './replica-side.js';
import type { MendAnswer, Session } from './verifier.js';

export type LeaderSidePort = MendingPort &
  Port<
    'now' | 'ordinal' | 'timings' | 'pace' | 'limits' | 'rules' | 'led' | 'reads' | 'outbox' | 'admission'
  > &
  Port<'transactions' | 'verifier'>;

/** A question is asked so often before its answer is missed. */
const TRIES = 3;
/** What an answer may take beside what a slow machine takes. */
const ANSWER_INTERVALS = 6;
/** A range in which all differs is none to be mended row by row at one go. */
const MENDED_PER_RANGE_MAX = 64;

/** To be called by `verifier.nextAt`. */
export function verifyDue(context: LeaderSidePort): void {
  const { verifier, now } = context;
  if (now < verifier.nextAt) return;
  const { current } = verifier;
  if (current === null) {
    begin(context);
  } else if (!isAtHand(context, current)) {
    verifier.abandon(now);
  } else if (current.phase === 'reading') {
    readOwn(context, current);
  } else {
    timedOut(context, current);
  }
}

/** Does this session still stand, under the leadership that began it? */
function isAtHand({ verifier }: LeaderSidePort, session: Session): boolean {
  return verifier.current === session && session.replica.role === session.leader;
}

function begin(context: LeaderSidePort): void {
  const { verifier, now, led, ordinal } = context;
  const chosen = verifier.choose(led, now);
  if (chosen === null) return;
  const { replica, run } = chosen;
  const { leader, assignment } = replica;
  if (leader === null || assignment === null) return;
  const session: Session = {
    ...{
      replica,
      leader,
      run,
      complete: true,
      phase: 'reading',
      isReading: false,
      round: 0,
      tries: 0,
      start: '',
      end: null,
    },
    takers: replica.voters.filter((voter) => voter !== ordinal),
    ...{ upTo: 0, own: { ordinal, revision: 0, purgedTo: 0, digests: [] }, answers: new Map() },
    ...{ bytes: 0, differences: [], awaited: null, rows: 0, differed: 0, mended: 0 },
  };
  verifier.current = session;
  // While replicas are exchanged the next look is soon enough.
  if (assignment.nextReplicas !== null) session.complete = false;
  if (assignment.nextReplicas !== null || session.takers.length === 0) finish(context, session);
  else readOwn(context, session);
}

function finish(context: LeaderSidePort, session: Session): void {
  const verified = context.verifier.finish(session, context.now);
  context.outbox.event({ kind: 'verified', ...verified });
}

/** The time is up for it at `verifier.nextAt`. */
function waitForAnswer({ verifier, now, timings, pace }: LeaderSidePort): void {
  verifier.nextAt = now + ANSWER_INTERVALS * timings.resendIntervalMs + pace.extraRoundMs;
}

function readOwn(context: LeaderSidePort, session: Session): void {
  const { replica, leader, start } = session;
  session.phase = 'reading';
  waitForAnswer(context);
  // A slow storage is not asked again.
  if (session.isReading) return;
  session.isReading = true;
  let revision: number | null = null;
  let purgedTo = 0;
  context.reads.digests(
    () => {
      const { position, generation, partition, purgedTo: purged } = replica.handedOut;
      session.isReading = isAtHand(context, session) && position.ballot === leader.ballot;
      if (!session.isReading) return null;
      revision = position.revision;
      purgedTo = purged;
      session.upTo = Math.min(replica.commit, revision);
      const limits = rangeLimits(context);
      return { kind: 'digests', partition, generation, start, end: null, wantsRows: false, ...limits };
    },
    ({ digests, nextKey, bytes }) => {
      session.isReading = false;
      if (!isAtHand(context, session) || session.phase !== 'reading' || revision === null) return;
      session.own = { ordinal: context.ordinal, revision, purgedTo, digests };
      session.end = nextKey;
      session.bytes = bytes;
      ask(context, session, 'ranges');
    },
  );
}

function ask(context: LeaderSidePort, session: Session, phase: 'ranges' | 'rows'): void {
  session.phase = phase;
  session.round = context.verifier.nextRound();
  session.tries = 1;
  session.answers.clear();
  for (const taker of session.takers) context.outbox.send(taker, questionOf(session));
  waitForAnswer(context);
}

function questionOf(session: Session): ShardMessage {
  const { replica, leader, round, start, end, upTo, own, phase } = session;
  const { partition } = replica;
  const { ballot, epoch } = leader;
  const wantsRows = phase === 'rows';
  const range = { round, start, end, upTo, purgedTo: own.purgedTo, wantsRows };
  return { kind: 'verify', partition, epoch, ballot, ...range };
}

/** Lost messages are asked for again; who does not answer then is left out of the rest. */
function timedOut(context: LeaderSidePort, session: Session): void {
  if (session.phase === 'mending') {
    if (session.awaited === null) context.verifier.abandon(context.now);
    else session.awaited.resolve(null);
    return;
  }
  const silent = session.takers.filter((taker) => !session.answers.has(taker));
  if (session.tries < TRIES) {
    session.tries += 1;
    for (const taker of silent) context.outbox.send(taker, questionOf(session));
    waitForAnswer(context);
    return;
  }
  session.takers = session.takers.filter((taker) => session.answers.has(taker));
  session.complete = false;
  if (session.takers.length === 0) finish(context, session);
  else allAnswered(context, session);
}

export function onVerified(context: LeaderSidePort, from: ShardOrdinal, message: Verified): void {
  const session = context.verifier.current;
  if (session === null || !isAtHand(context, session)) return;
  const { phase, round, leader, replica, takers, answers } = session;
  if (phase !== 'ranges' && phase !== 'rows') return;
  if (message.round !== round || message.ballot !== leader.ballot) return;
  if (message.partition !== replica.partition || !takers.includes(from)) return;
  const { revision, purgedTo, rows: digests, end, digest } = message;
  answers.set(from, { ordinal: from, revision, purgedTo, digests, end, digest });
  if (takers.every((taker) => answers.has(taker))) allAnswered(context, session);
}

function allAnswered(context: LeaderSidePort, session: Session): void {
  if (session.phase === 'rows') {
    compareRows(context, session);
    return;
  }
  const { own, upTo, end } = session;
  const digest = digestOfRange(own.digests, { upTo, purgedTo: own.purgedTo }, context.rules);
  const areSame = [...session.answers.values()].every(
    (answer) => answer.digest === digest && answer.end === end,
  );
  if (areSame) rangeEnds(context, session);
  else ask(context, session, 'rows');
}

function compareRows(context: LeaderSidePort, session: Session): void {
  const { answers, own, replica } = session;
  const ends = [session.end, ...[...answers.values()].map(({ end }) => end)];
  const end = ends.reduce(earlier);
  const views = [own, ...answers.values()].map((view): RangeView => ({
    ...view,
    digests: view.digests.filter(({ key }) => isBefore(key, end)),
  }));
  const differences = differencesOf(views, replica.voters.length, context.rules);
  session.differences = differences.slice(0, MENDED_PER_RANGE_MAX);
  // With what is left of them the next range begins.
  session.end = differences[MENDED_PER_RANGE_MAX]?.key ?? end;
  session.own = { ...own, digests: own.digests.filter(({ key }) => isBefore(key, session.end)) };
  session.phase = 'mending';
  mendNext(context, session);
}

/** Null is the end of all keys. */
function isBefore(key: string, end: string | null): boolean {
  return end === null || compareKeys(key, end) < 0;
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}

function mendNext(context: LeaderSidePort, session: Session): void {
  if (!isAtHand(context, session)) return;
  const difference = session.differences.shift();
  if (difference === undefined) {
    rangeEnds(context, session);
    return;
  }
  session.differed += difference.wrong.length;
  if (difference.right === null) {
    differs(context, session, difference);
    mendNext(context, session);
    return;
  }
  rightRow(context, session, difference, (row) => {
    if (row === undefined) {
      differs(context, session, difference);
      mendNext(context, session);
    } else {
      mendWrong(context, session, { ...difference, wrong: [...difference.wrong] }, row);
    }
  });
}

function differs({ outbox }: LeaderSidePort, { replica }: Session, difference: Difference): void {
  const { key, wrong, right } = difference;
  const shards = wrong.map(({ ordinal }) => ordinal);
  const { partition } = replica;
  outbox.event({ kind: 'rowDiffers', partition, key, shards, isTie: right === null });
}

/** As most have it; undefined where it cannot be had now. */
function rightRow(
  context: LeaderSidePort,
  session: Session,
  { key, right }: Difference,
  done: (row: Row | null | undefined) => void,
): void {
  const found = right?.found ?? null;
  if (found === null) {
    done(null);
    return;
  }
  const holders = right?.holders ?? [];
  if (holders.includes(context.ordinal)) {
    readFound(context, session.replica, { key, wantsRow: true }, (own) => {
      if (isAtHand(context, session)) done(own.found === found && own.row !== null ? own.row : undefined);
    });
    waitForAnswer(context);
    return;
  }
  const [holder = 0] = holders;
  const question = (of: Session): ShardMessage => ({ kind: 'rowWanted', ...headerOf(of), key });
  askForMending(context, session, { to: holder, question }, (answer) => {
    const isRight = answer?.kind === 'told' && answer.digest === found;
    done(isRight && answer.row !== null ? answer.row : undefined);
  });
}

function mendWrong(
  context: LeaderSidePort,
  session: Session,
  difference: Difference & { readonly wrong: { readonly ordinal: number; readonly found: string | null }[] },
  row: Row | null,
): void {
  const { key } = difference;
  const next = difference.wrong.shift();
  if (next === undefined) {
    mendNext(context, session);
    return;
  }
  const { ordinal, found } = next;
  const done = (isMended: boolean): void => {
    if (!isAtHand(context, session)) return;
    if (isMended) session.mended += 1;
    else differs(context, session, { ...difference, wrong: [next] });
    mendWrong(context, session, difference, row);
  };
  if (ordinal === context.ordinal) {
    waitForAnswer(context);
    mendRow(context, session.replica, { key, found, row }, done);
    return;
  }
  const rows = row === null ? [] : [row];
  const question = (of: Session): ShardMessage => ({ kind: 'mend', ...headerOf(of), key, found, rows });
  askForMending(context, session, { to: ordinal, question }, (answer) => {
    done(answer?.kind === 'mended' && answer.done);
  });
}

function headerOf({ replica, leader, round }: Session) {
  return { partition: replica.partition, epoch: leader.epoch, ballot: leader.ballot, round };
}

/** Once: what is lost is found again the next time. `done` gets null then. */
function askForMending(
  context: LeaderSidePort,
  session: Session,
  { to, question }: { readonly to: ShardOrdinal; readonly question: (of: Session) => ShardMessage },
  done: (answer: MendAnswer | null) => void,
): void {
  session.round = context.verifier.nextRound();
  session.awaited = {
    from: to,
    resolve: (answer) => {
      session.awaited = null;
      if (isAtHand(context, session)) done(answer);
    },
  };
  context.outbox.send(to, question(session));
  waitForAnswer(context);
}

export function onMendAnswer(context: LeaderSidePort, from: ShardOrdinal, message: RowTold | Mended): void {
  const session = context.verifier.current;
  if (session === null || !isAtHand(context, session)) return;
  const { awaited, round, replica, leader } = session;
  if (awaited === null || awaited.from !== from || message.round !== round) return;
  if (message.partition !== replica.partition || message.ballot !== leader.ballot) return;
  if (message.kind === 'mended') awaited.resolve({ kind: 'mended', done: message.done });
  else awaited.resolve({ kind: 'told', digest: message.digest, row: message.rows[0] ?? null });
}

function rangeEnds(context: LeaderSidePort, session: Session): void {
  const { verifier, admission, now } = context;
  const { digests } = session.own;
  session.rows += digests.length;
  if (session.end === null) {
    finish(context, session);
    return;
  }
  session.start = session.end;
  session.phase = 'reading';
  const isBusy = admission.bytesWaiting > 0 || context.transactions.rowsGathered > 0;
  verifier.nextAt = now + verifier.pauseMs(session.bytes, isBusy);
}
