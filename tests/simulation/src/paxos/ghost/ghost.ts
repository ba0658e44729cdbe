/** Sees everything that shards send, store and answer, and compares it with what is committed in fact. */
import type {
  PartitionAssignment,
  PartitionStatus,
  PaxosEvent,
  ShardMessage,
  StorageTransaction,
} from '@ringleader/paxos';
import type { Epoch, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Judge } from '@ringleader/testing-simulation';
import { fail } from '../checks.js';
import type { ShardDatabase } from '../shard-database.js';
import type { ClientWrite, WriteOutcome } from './operations.js';
import { PartitionGhost } from './partition-ghost.js';

export class Ghost {
  readonly writes = new Map<string, ClientWrite>();
  readonly #partitions = new Map<PartitionIndex, PartitionGhost>();
  readonly #assignments = new Map<string, PartitionAssignment>();
  readonly #judge: Judge;
  readonly #now: () => number;
  readonly #isFarBehind: (shard: ShardOrdinal) => boolean;

  /** `isFarBehind`: is its wall clock further behind another's, as that is or was, than clocks may differ? */
  constructor(judge: Judge, now: () => number, isFarBehind: (shard: ShardOrdinal) => boolean) {
    this.#judge = judge;
    this.#now = now;
    this.#isFarBehind = isFarBehind;
  }

  partition(partition: PartitionIndex): PartitionGhost {
    let found = this.#partitions.get(partition);
    if (found === undefined) {
      const assignment = (epoch: Epoch): PartitionAssignment | undefined =>
        this.#assignments.get(`${String(partition)}/${String(epoch)}`);
      found = new PartitionGhost(partition, this.#judge, assignment, (requestId) =>
        this.writes.get(requestId),
      );
      this.#partitions.set(partition, found);
    }
    return found;
  }

  get partitions(): IterableIterator<PartitionGhost> {
    return this.#partitions.values();
  }

  /** What the client was told of its write. */
  noteOutcome(write: ClientWrite, outcome: WriteOutcome): void {
    write.outcome = outcome;
    const revision = this.partition(write.partition).committed.revisionOfRequest(write.requestId);
    this.#judge.check(() => {
      if (outcome.kind !== 'failed' || revision === null) return;
      fail('answers', `${write.requestId} was answered 'failed', and is committed at ${String(revision)}`);
    });
  }

  noteAssignment(assignment: PartitionAssignment): void {
    this.#assignments.set(`${String(assignment.partition)}/${String(assignment.epoch)}`, assignment);
    this.partition(assignment.partition);
  }

  noteSent(from: ShardOrdinal, life: number, message: ShardMessage): void {
    if (message.kind === 'commitPoints') {
      for (const { partition, ballot, epoch } of message.points) {
        this.partition(partition).ballots.noteLeadership(ballot, epoch, from, life);
      }
    } else if (message.kind === 'prepare') {
      const { ballots } = this.partition(message.partition);
      ballots.noteLeadership(message.ballot, message.epoch, from, life);
    } else if (message.kind === 'accepts') {
      for (const { partition, ballot, epoch, previous, rows } of message.batches) {
        const { ballots } = this.partition(partition);
        ballots.noteLeadership(ballot, epoch, from, life);
        if (previous.ballot !== ballot) ballots.noteAdopted(ballot, previous);
        ballots.noteRows(ballot, rows);
      }
    }
  }

  noteEvent(shard: ShardOrdinal, life: number, event: PaxosEvent): void {
    if (event.kind === 'implausible') {
      const { from, what } = event;
      // 4.12.2: there a floor that is true is not believed at once.
      if (what === 'floor' && this.#isFarBehind(shard)) return;
      this.#judge.check(() => fail('plausible', `${String(shard)} refused a ${what} of ${String(from)}`));
    }
    if (event.kind === 'leading') {
      this.partition(event.partition).ballots.noteLeadership(event.ballot, event.epoch, shard, life);
    }
  }

  /** To be called around the instant at which a transaction takes effect. */
  applyTransaction(shard: ShardOrdinal, database: ShardDatabase, transaction: StorageTransaction): void {
    const before = transaction.records.map((record) => database.records.get(record.partition));
    database.apply(transaction);
    transaction.records.forEach((after, index) => {
      const { partition, generation } = after;
      const changed = transaction.upserts
        .filter((upsert) => upsert.partition === partition && upsert.generation === generation)
        .map((upsert) => upsert.row);
      const change = { before: before[index], after, changed, live: database.live(partition) };
      this.partition(partition).noteDurable(shard, change, this.#now());
    });
  }

  /** What a shard believes in memory must hold of what it has stored, as far as it has stored it. */
  checkStatus(shard: ShardOrdinal, status: PartitionStatus, database: ShardDatabase): void {
    const record = database.records.get(status.partition);
    if (record === undefined || record.position.ballot !== status.position.ballot) return;
    const commit = Math.min(status.commit, record.position.revision);
    const rows = database.liveRows(status.partition);
    this.partition(status.partition).checkReplica(shard, commit, rows, this.#now());
  }
}
