/**
 * Whether whole transactions and ranges are linearizable, by a witness: the order of the log. Each entry is done again by
 * the oracle, and every answer has to be what it gives there, in an order in which nothing stands before what had returned when
 * it was asked. That takes one pass, however many operations overlap.
 */
import type { CommandResult, StoreRevision } from '@ringleader/mvcc';
import type { LogIndex } from '@ringleader/raft';
import { SimulationFailure } from '@ringleader/testing-simulation';
import { isDeepStrictEqual } from 'node:util';
import type { AppliedLog } from '../applied-log.js';
import type { RecordedOperation } from '../clients.js';
import { putOf } from '../replicated-store.js';
import type { LoggedOperation, MemberAnswer } from '../sim-messages.js';
import { rangeIn, StoreOracle, type View } from './oracle.js';

interface Done {
  readonly index: LogIndex;
  readonly result: CommandResult;
}

const decoder = new TextDecoder();

/** The whole history of the store, as it has to be. */
export class History {
  readonly oracle = new StoreOracle();
  /** By request. */
  readonly done = new Map<number, Done>();
  /** By index: the revision, and what is compacted, after it. */
  readonly revisions: StoreRevision[] = [0];
  readonly compactions: StoreRevision[] = [0];

  constructor(log: AppliedLog) {
    for (const { requestId, operation, entry } of log.results()) {
      this.#fillUpTo(entry.index - 1);
      const result = this.#resultOf(operation, entry.term);
      this.#fillUpTo(entry.index);
      if (requestId === 0) continue;
      if (this.done.has(requestId))
        throw new SimulationFailure('whole transactions', `request ${String(requestId)} is done twice`);
      this.done.set(requestId, { index: entry.index, result });
    }
    this.#fillUpTo(log.lastIndex);
  }

  get lastIndex(): LogIndex {
    return this.revisions.length - 1;
  }

  view(index: LogIndex): View {
    return {
      states: this.oracle.states,
      revision: this.revisions[index] as number,
      compacted: this.compactions[index] as number,
    };
  }

  #fillUpTo(index: LogIndex): void {
    while (this.lastIndex < index) {
      this.revisions.push(this.oracle.revision);
      this.compactions.push(this.oracle.compacted);
    }
  }

  #resultOf(operation: LoggedOperation, term: number): CommandResult {
    if (operation.op === 'command') return this.oracle.apply(operation.command, term);
    const value = this.oracle.states.at(-1)?.get(operation.key)?.value;
    return this.oracle.apply(putOf(operation, decoder.decode(value)), term);
  }
}

export function checkAnswers(history: History, operations: readonly RecordedOperation[]): void {
  const check = new AnswerCheck(history);
  const moments = operations.flatMap((operation) => [
    { at: operation.invokedAt, operation, isReturn: false },
    { at: operation.returnedAt, operation, isReturn: true },
  ]);
  // Of one instant what is asked comes first: equal times are concurrent.
  moments.sort((a, b) => a.at - b.at || Number(a.isReturn) - Number(b.isReturn));
  for (const { operation, isReturn } of moments) {
    if (isReturn) check.returns(operation);
    else check.isAsked(operation);
  }
}

interface ReadAnswer {
  readonly revision: StoreRevision;
  readonly answer: unknown;
  answerIn(view: View): unknown;
}

class AnswerCheck {
  readonly #history: History;
  /** The first index of each revision. */
  readonly #firstOf = new Map<StoreRevision, LogIndex>();
  readonly #floors = new Map<number, LogIndex>();
  /** The furthest place of all that has returned. */
  #reached: LogIndex = 0;

  constructor(history: History) {
    this.#history = history;
    for (const [index, revision] of history.revisions.entries()) {
      if (!this.#firstOf.has(revision)) this.#firstOf.set(revision, index);
    }
  }

  isAsked({ requestId }: RecordedOperation): void {
    this.#floors.set(requestId, this.#reached);
  }

  returns(recorded: RecordedOperation): void {
    const floor = this.#floors.get(recorded.requestId) ?? 0;
    const place = this.#placeOf(recorded, floor);
    this.#reached = Math.max(this.#reached, place);
  }

  #placeOf(recorded: RecordedOperation, floor: LogIndex): LogIndex {
    const { operation, answer } = recorded;
    switch (operation.op) {
      case 'append':
      case 'command':
        return this.#placeOfLogged(recorded, floor);
      case 'range':
        if (answer?.kind !== 'range') return floor;
        return this.#placeOfRead(recorded, floor, {
          revision: answer.revision,
          answer: answer.outcome,
          answerIn: (view) => rangeIn(view, operation.query),
        });
      case 'evaluate': {
        if (answer?.kind !== 'result') return floor;
        return this.#placeOfRead(recorded, floor, {
          revision: answer.result.revision,
          answer: answer.result,
          answerIn: (view) => this.#history.oracle.evaluate(operation.command, view),
        });
      }
      case 'keepAlive':
      case 'get':
      case 'watch':
        return floor;
    }
  }

  #placeOfLogged({ requestId, answer, operation }: RecordedOperation, floor: LogIndex): LogIndex {
    const done = this.#history.done.get(requestId);
    const name = `request ${String(requestId)}`;
    if (answer?.kind === 'unavailable') {
      if (done === undefined) return floor;
      throw new SimulationFailure('whole transactions', `${name} is done, and was told that it is not`);
    }
    if (done === undefined) {
      if (answer === null) return floor;
      throw new SimulationFailure('acknowledged write lost', `${name} is answered, and not in the log`);
    }
    if (done.index <= floor) {
      const what = `${name} stands at ${String(done.index)}, and when it was asked ${String(floor)} was known`;
      throw new SimulationFailure('real-time order', what);
    }
    if (answer === null) return floor;
    const expected: MemberAnswer =
      operation.op === 'append' ? { kind: 'appended' } : { kind: 'result', result: done.result };
    if (!areSame(answer, expected)) throw differs('whole transactions', name, answer, expected);
    return done.index;
  }

  /** The first place from `floor` on, of those at a revision, that has this answer. */
  #placeOfRead(
    { requestId }: RecordedOperation,
    floor: LogIndex,
    { revision, answer, answerIn }: ReadAnswer,
  ): LogIndex {
    const { revisions, lastIndex } = this.#history;
    const name = `request ${String(requestId)}`;
    const first = Math.max(floor, this.#firstOf.get(revision) ?? Infinity);
    if (first > lastIndex || revisions[first] !== revision) {
      const what = `${name} is answered at revision ${String(revision)}, and when it was asked that of ${String(floor)} was known`;
      throw new SimulationFailure('real-time order', what);
    }
    let expected: unknown = null;
    let compacted = -1;
    for (let index = first; revisions[index] === revision; index += 1) {
      const view = this.#history.view(index);
      if (view.compacted === compacted) continue;
      compacted = view.compacted;
      expected = answerIn(view);
      if (areSame(answer, expected)) return index;
    }
    throw differs('whole reads', name, answer, expected);
  }
}

/** Which of several keys that are changed twice is named is left open. */
function areSame(answer: unknown, expected: unknown): boolean {
  return isDeepStrictEqual(answer, expected) || (isDuplicate(answer) && isDuplicate(expected));
}

function isDuplicate(answer: unknown): boolean {
  return JSON.stringify(answer).includes('"reason":"duplicateKey"');
}

function differs(check: string, name: string, answer: unknown, expected: unknown): SimulationFailure {
  return new SimulationFailure(
    check,
    `${name} is answered ${JSON.stringify(answer)}, not ${JSON.stringify(expected)}`,
  );
}
