/**
 * Checks of each answer at the moment a shard gives it. The committed history is the order in which everything took
 * effect, so an answer is right if it fits some point of that history between the question and the answer: that is
 * linearizability with the witness at hand.
 */
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { Row, ShardReply } from '@ringleader/paxos';
import type { PartitionIndex, Revision } from '@ringleader/primitives';
import { describeRow } from '../fingerprint.js';
import { describe } from './ballot-histories.js';
import type { CommittedHistory } from './committed-history.js';
import { conditionsHold, type ClientWrite } from './operations.js';

type Reply<Kind extends ShardReply['kind']> = Extract<ShardReply, { kind: Kind }>;

/** What was read, and what was committed when it was asked, or by the claimed age ago. */
export interface Question {
  readonly partition: PartitionIndex;
  readonly key: string;
  readonly from: Revision;
}

export class AnswerChecks {
  readonly #committed: (partition: PartitionIndex) => CommittedHistory;

  constructor(committed: (partition: PartitionIndex) => CommittedHistory) {
    this.#committed = committed;
  }

  written(write: ClientWrite, reply: Reply<'written'>): void {
    const history = this.#committed(write.partition);
    const name = `${write.requestId} was answered with revision ${String(reply.revision)}`;
    const committed = history.at(reply.revision);
    if (committed === undefined) fail('acknowledged', `${name}, only ${String(history.top)} are committed`);
    const known = committed.write;
    if (known === null) return;
    if (known.requestId !== write.requestId) fail('acknowledged', `${name}, which is ${describe(known)}`);
    if (known.version !== reply.version) {
      fail('acknowledged', `${name} and version ${String(reply.version)}, it has ${String(known.version)}`);
    }
  }

  conditionFailed(write: ClientWrite, reply: Reply<'conditionFailed'>): void {
    const history = this.#committed(write.partition);
    const states = history.statesBetween(write.body.key, write.topAtInvoke, history.top);
    const possible = states.some(
      (state) => state.revision === reply.revision && !conditionsHold(write.body.conditions, state),
    );
    if (!possible && !history.hasUnseen(write.topAtInvoke, history.top)) {
      fail(
        'failed conditions',
        `${write.requestId} with ${JSON.stringify(write.body.conditions)} was answered 'failed' at ` +
          `${JSON.stringify(reply)}, but the key was at ${JSON.stringify(states)} since it was asked`,
      );
    }
  }

  absent(write: ClientWrite): void {
    const history = this.#committed(write.partition);
    const states = history.statesBetween(write.body.key, write.topAtInvoke, history.top);
    if (!states.some((state) => state.revision === 0) && !history.hasUnseen(write.topAtInvoke, history.top)) {
      fail(
        'absent deletes',
        `${write.requestId} was answered 'absent', but the key was at ${JSON.stringify(states)}`,
      );
    }
  }

  /** Does the row fit some point of the history since `from`? */
  row(check: string, { partition, key, from }: Question, row: Row | null): void {
    const history = this.#committed(partition);
    if (row === null) {
      const states = history.statesBetween(key, from, history.top);
      if (states.some((state) => state.revision === 0)) return;
      fail(check, `${key} was read as absent, but was at ${JSON.stringify(states)}`);
    }
    if (row.value === null) fail(check, `a tombstone was answered: ${describeRow(row)}`);
    if (row.key !== key) fail(check, `${key} was read as ${describeRow(row)}`);
    history.checkIsCommitted({ check, who: `a read of ${key}` }, row);
    const last = history.last(key, from);
    if (last !== null && row.revision < last.revision) {
      fail(check, `${key} was read as ${describeRow(row)}, but ${describe(last)} was committed before`);
    }
  }
}

function fail(check: string, what: string): never {
  throw new SimulationFailure(check, what);
}
