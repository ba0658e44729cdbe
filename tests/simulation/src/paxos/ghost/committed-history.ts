/** The writes of one partition that are committed in fact, whoever knows of it, in the order of their revisions. */
import type { Judge } from '@ringleader/testing-simulation';
import type { Row } from '@ringleader/paxos';
import { HYBRID_UNITS_PER_MS, type Ballot, type Revision } from '@ringleader/primitives';
import { fail, type CheckId } from '../checks.js';
import { describeRow, fingerprintOf } from '../fingerprint.js';
import { describe, sameWrite, type Numbered } from './ballot-histories.js';
import { ABSENT, conditionsHold, type ClientWrite, type KeyState } from './operations.js';

interface Committed {
  /** Null where a later write of the same batch replaced it unseen: nobody can read it. */
  readonly write: Numbered | null;
  readonly ballot: Ballot;
}

/** Whose view of the rows is checked, and under which name it fails. */
export interface Claim {
  readonly check: CheckId;
  readonly who: string;
}

export class CommittedHistory {
  readonly #name: string;
  readonly #judge: Judge;
  readonly #writeOf: (requestId: string) => ClientWrite | undefined;
  readonly #committed: Committed[] = [];
  readonly #byKey = new Map<string, Numbered[]>();
  /** By revision: when the first shard knew. */
  readonly #knownAt: number[] = [];
  #lastUnseen: Revision = 0;
  readonly #revisionOfRequest = new Map<string, Revision>();

  constructor(name: string, judge: Judge, writeOf: (requestId: string) => ClientWrite | undefined) {
    this.#name = name;
    this.#judge = judge;
    this.#writeOf = writeOf;
  }

  /** Revisions 1..top are committed. */
  get top(): Revision {
    return this.#committed.length;
  }

  get keys(): IterableIterator<string> {
    return this.#byKey.keys();
  }

  at(revision: Revision): Committed | undefined {
    return this.#committed[revision - 1];
  }

  /** Some shard knows that this much is committed: from now on somebody may have been told. */
  noteKnown(revision: Revision, now: number): void {
    while (this.#knownAt.length < revision) this.#knownAt.push(now);
  }

  /** What is committed and some shard knew it before that instant. */
  knownAt(instant: number): Revision {
    let top = this.#knownAt.length;
    while (top > 0 && (this.#knownAt[top - 1] as number) >= instant) top -= 1;
    return top;
  }

  get known(): Revision {
    return this.#knownAt.length;
  }

  /** What a leader of this ballot must have: everything committed at lower ballots. */
  topBelow(ballot: Ballot): Revision {
    let top = this.top;
    while (top > 0 && (this.#committed[top - 1] as Committed).ballot >= ballot) top -= 1;
    return top;
  }

  last(key: string, upTo: Revision): Numbered | null {
    const writes = this.#byKey.get(key);
    if (writes === undefined) return null;
    for (let index = writes.length - 1; index >= 0; index -= 1) {
      const write = writes[index] as Numbered;
      if (write.revision <= upTo) return write;
    }
    return null;
  }

  stateAt(key: string, upTo: Revision): KeyState {
    const write = this.last(key, upTo);
    return write === null || this.isDelete(write)
      ? ABSENT
      : { revision: write.revision, version: write.version };
  }

  /**
   * Is the key at that revision (0: absent) at that point of the history? In place of a row that has expired a scan shows
   * what the key has now.
   */
  shows(key: string, upTo: Revision, revision: Revision): boolean {
    if (this.stateAt(key, upTo).revision === revision) return true;
    const last = this.last(key, upTo);
    return last !== null && (last.row === null || last.row.expiresAt !== null);
  }

  /** All states of a key between two points of the history, both included. */
  statesBetween(key: string, from: Revision, to: Revision): KeyState[] {
    const states = [this.stateAt(key, from)];
    for (const write of this.#byKey.get(key) ?? []) {
      if (write.revision > from && write.revision <= to) states.push(this.stateAt(key, write.revision));
    }
    return states;
  }

  /** Is a write that nobody saw among them? Then the states in between are not all known. */
  hasUnseen(from: Revision, to: Revision): boolean {
    return this.#committed.slice(Math.max(0, from - 1), to).some((entry) => entry.write === null);
  }

  isDelete(write: Numbered): boolean {
    if (write.row !== null) return write.row.value === null;
    return write.version === 0;
  }

  revisionOfRequest(requestId: string): Revision | null {
    return this.#revisionOfRequest.get(requestId) ?? null;
  }

  /** Revisions up to `revision` of this ballot's history are committed now. */
  commit(ballot: Ballot, revision: Revision, find: (revision: Revision) => Numbered | null): void {
    for (let next = this.top + 1; next <= revision; next += 1) {
      const write = find(next);
      this.#committed.push({ write, ballot });
      if (write === null) this.#lastUnseen = next;
      else this.#append(write);
    }
  }

  /** The history of a ballot at which something is committed must agree with all that was committed before. */
  checkAgreement(
    ballot: Ballot,
    { from, to }: { readonly from: Revision; readonly to: Revision },
    find: (revision: Revision) => Numbered | null,
  ): void {
    for (let revision = from; revision <= Math.min(to, this.top); revision += 1) {
      const write = find(revision);
      const known = this.#committed[revision - 1]?.write ?? null;
      if (write !== null && known !== null && !sameWrite(write, known)) {
        this.#fail(
          'agreement',
          `revision ${String(revision)} was committed as ${describe(known)}, and at ballot ${String(ballot)} as ${describe(write)}`,
        );
      }
    }
  }

  /** Is this row, seen by somebody who holds it for committed, what the history up to `upTo` says? */
  checkRow(claim: Claim, key: string, row: Row | null, upTo: Revision): void {
    const { check, who } = claim;
    const last = this.last(key, upTo);
    if (row === null) {
      if (last !== null && !this.isDelete(last)) {
        this.#fail(check, `${who} has no row of ${key}, but ${describe(last)} is committed`);
      }
      return;
    }
    this.checkIsCommitted(claim, row);
    if (last !== null && row.revision < last.revision) {
      this.#fail(check, `${who} shows ${describeRow(row)}, but ${describe(last)} is committed`);
    }
  }

  checkIsCommitted({ check, who }: Claim, row: Row): void {
    const committed = this.at(row.revision);
    if (committed === undefined) {
      this.#fail(
        check,
        `${who} shows ${describeRow(row)}, but only ${String(this.top)} revisions are committed`,
      );
    }
    const known = committed.write;
    if (
      known !== null &&
      (known.key !== row.key || (known.row !== null && fingerprintOf(known.row) !== fingerprintOf(row)))
    ) {
      this.#fail(check, `${who} shows ${describeRow(row)}, but that revision is ${describe(known)}`);
    }
  }

  #append(write: Numbered): void {
    this.#judge.check(() => {
      this.#checkVersion(write);
    });
    this.#judge.check(() => {
      if (!this.#mayHideWriteTo(write.key))
        this.#checkExpiry(write, this.last(write.key, write.revision - 1));
    });
    if (write.requestId !== null) this.#noteRequest(write, write.requestId);
    const writes = this.#byKey.get(write.key);
    if (writes === undefined) this.#byKey.set(write.key, [write]);
    else writes.push(write);
  }

  /** 4.6.3: what the leader writes of its own accord is the end of a row whose time was up, and forgets no request. */
  #checkExpiry({ row, requestId }: Numbered, before: Numbered | null): void {
    // A row that a later write of the same batch replaced was never seen.
    if (row === null || (before !== null && before.row === null)) return;
    const expired = before?.row ?? null;
    const old = expired === null ? 'nothing' : describeRow(expired);
    if (requestId === null && !isExpiryOf(row, expired)) {
      this.#fail('expiry', `${describeRow(row)} was written by the leader in place of ${old}`);
    }
    if (requestId !== null && wasExpiredFor(row, expired)) {
      this.#fail('expiry', `${describeRow(row)} was decided on ${old}, which had expired`);
    }
  }

  #checkVersion(write: Numbered): void {
    const before = this.stateAt(write.key, write.revision - 1);
    const expected = this.isDelete(write) ? 0 : before.version + 1;
    if (!this.#mayHideWriteTo(write.key) && write.version !== expected) {
      this.#fail(
        'versions',
        `${describe(write)} has version ${String(write.version)}, not ${String(expected)}`,
      );
    }
  }

  #noteRequest(write: Numbered, requestId: string): void {
    const earlier = this.#revisionOfRequest.get(requestId);
    this.#revisionOfRequest.set(requestId, write.revision);
    this.#judge.check(() => {
      if (earlier === undefined) return;
      this.#fail(
        'applied once',
        `${requestId} is committed at revisions ${String(earlier)} and ${String(write.revision)}`,
      );
    });
    const request = this.#writeOf(requestId);
    this.#judge.check(() => {
      if (request === undefined) this.#fail('integrity', `${requestId} was never asked for`);
      if (request.body.key !== write.key || (request.body.kind === 'delete') !== this.isDelete(write)) {
        this.#fail('integrity', `${describe(write)} is not what ${requestId} asked for`);
      }
    });
    if (request === undefined) return;
    this.#judge.check(() => {
      const before = this.stateAt(write.key, write.revision - 1);
      if (!this.#mayHideWriteTo(write.key)) this.#checkConditions(request, write, before);
    });
    this.#judge.check(() => {
      this.#checkNotDenied(request, write);
    });
  }

  #checkConditions(request: ClientWrite, write: Numbered, before: KeyState): void {
    const { requestId } = request;
    if (!conditionsHold(request.body.conditions, before)) {
      this.#fail(
        'conditions',
        `${requestId} is committed at revision ${String(write.revision)} where its condition ` +
          `${JSON.stringify(request.body.conditions)} does not hold: the key is at ${JSON.stringify(before)}`,
      );
    }
    if (request.body.kind === 'delete' && before.revision === 0) {
      this.#fail('conditions', `${requestId} deletes a key that is absent where it is committed`);
    }
  }

  /** Was there a write that nobody saw, perhaps to this key, since its last one that was seen? */
  #mayHideWriteTo(key: string): boolean {
    return this.#lastUnseen > (this.last(key, this.top)?.revision ?? 0);
  }

  #checkNotDenied(request: ClientWrite, write: Numbered): void {
    if (request.outcome?.kind === 'failed') {
      this.#fail(
        'answers',
        `${request.requestId} was answered 'failed' and is now committed: ${describe(write)}`,
      );
    }
    const deliveries = [...request.deliveries.values()];
    if (deliveries.every((state) => state === 'refused')) {
      this.#fail(
        'answers',
        `${request.requestId} was refused by all it reached and is now committed: ${describe(write)}`,
      );
    }
  }

  #fail(check: CheckId, what: string): never {
    fail(check, `${this.#name}: ${what}`);
  }
}

function marksOf({ requests, requestFloor }: Row): string {
  return `${[...requests].map(({ id, revision }) => `${id}@${String(revision)}`).join(' ')} ${String(requestFloor)}`;
}

/** Is it the tombstone of this row, not before its time, with all that it remembered? */
function isExpiryOf(tombstone: Row, row: Row | null): boolean {
  if (row === null || row.expiresAt === null || tombstone.value !== null) return false;
  return row.expiresAt <= tombstone.modifiedAt && marksOf(tombstone) === marksOf(row);
}

/** The clock may reach the time in the middle of a decision. */
function wasExpiredFor({ modifiedAt }: Row, row: Row | null): boolean {
  if (row === null || row.value === null || row.expiresAt === null) return false;
  return row.expiresAt + HYBRID_UNITS_PER_MS <= modifiedAt;
}
