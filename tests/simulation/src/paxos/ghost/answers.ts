/**
 * Checks of each answer at the moment a shard gives it. The committed history is the order in which everything took
 * effect, so an answer is right if it fits some point of that history between the question and the answer: that is
 * linearizability with the witness at hand.
 */
import type { Row, ShardReply } from '@ringleader/paxos';
import type { HybridTime, PartitionIndex, Revision } from '@ringleader/primitives';
import { fail, type CheckId } from '../checks.js';
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

  /** 4.6.3: whoever meets an expired row at the leader is answered with its tombstone. */
  notExpired(row: Row | null, hybridTime: HybridTime): void {
    if (row === null || row.expiresAt === null || row.expiresAt > hybridTime) return;
    fail('expiry', `${describeRow(row)} was shown, which had expired before it was asked for`);
  }

  /** Do all these rows, and those that are not there, fit one point of the history since `from`? */
  snapshot(
    { partition, from }: Omit<Question, 'key'>,
    keys: readonly string[],
    rows: ReadonlyMap<string, Row>,
  ): void {
    const history = this.#committed(partition);
    for (const key of keys) this.row('stale scan', { partition, key, from: 0 }, rows.get(key) ?? null);
    for (let at = history.top; at >= from; at -= 1) {
      const fits = keys.every((key) => history.shows(key, at, rows.get(key)?.revision ?? 0));
      if (fits) return;
    }
    if (history.hasUnseen(from, history.top)) return;
    const shown = keys.map((key) => `${key} at ${String(rows.get(key)?.revision ?? 0)}`).join(', ');
    fail('stale scan', `no point of the history since revision ${String(from)} shows ${shown}`);
  }

  /** Does the row fit some point of the history since `from`? */
  row(check: CheckId, { partition, key, from }: Question, row: Row | null): void {
    const history = this.#committed(partition);
    if (row === null) {
      const states = history.statesBetween(key, from, history.top);
      // An expiry that a later write of the same batch replaced was never seen.
      if (states.some((state) => state.revision === 0) || history.hasUnseen(from, history.top)) return;
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
