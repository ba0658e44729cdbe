/** Joins shards and checks: what a shard was asked, did, stored and answered, each at its instant. */
import type { PartitionStatus, PaxosEvent, Ready, ShardReply, StorageTransaction } from '@ringleader/paxos';
import {
  compareKeys,
  type HybridTime,
  type PartitionIndex,
  type Revision,
  type ShardOrdinal,
} from '@ringleader/primitives';
import type { Judge } from '@ringleader/testing-simulation';
import { fail } from './checks.js';
import { AnswerChecks } from './ghost/answers.js';
import type { Ghost } from './ghost/ghost.js';
import type { ClientWrite } from './ghost/operations.js';
import type { ShardDatabase } from './shard-database.js';
import type { RequestBody } from './sim-messages.js';

interface Asked {
  readonly body: RequestBody;
  /** By partition asked for: what was committed at the arrival. */
  readonly topAtArrival: ReadonlyMap<PartitionIndex, Revision>;
  /** The same, as far as any shard knew of it. */
  readonly knownAtArrival: ReadonlyMap<PartitionIndex, Revision>;
  readonly arrivedAt: number;
  /** The shard's hybrid clock then: what had expired by it must not be shown as live. */
  readonly hybridTime: HybridTime;
}

/** One process of a shard. */
export interface ShardLife {
  readonly shard: ShardOrdinal;
  readonly life: number;
}

/** What a shard believes, and what it has stored. */
export interface ShardView {
  readonly statuses: readonly PartitionStatus[];
  readonly database: ShardDatabase;
  /** 4.2.6, as configured. */
  readonly inFlightMax: number;
}

/** How often each kind of answer was given: a run in which nothing happens proves nothing. */
export type AnswerCounts = Partial<Record<ShardReply['kind'], number>>;

export class ShardObserver {
  readonly answers: AnswerCounts = {};
  readonly #ghost: Ghost;
  readonly #judge: Judge;
  readonly #now: () => number;
  readonly #clockRate: (shard: ShardOrdinal) => number;
  readonly #checks: AnswerChecks;
  readonly #asked = new Map<string, Asked>();

  constructor(ghost: Ghost, judge: Judge, now: () => number, clockRate: (shard: ShardOrdinal) => number) {
    this.#ghost = ghost;
    this.#judge = judge;
    this.#now = now;
    this.#clockRate = clockRate;
    this.#checks = new AnswerChecks((partition) => ghost.partition(partition).committed);
  }

  asked({ shard, life }: ShardLife, token: number, body: RequestBody, hybridTime: HybridTime): void {
    const partitions = body.kind === 'scan' ? body.partitions : [body.partition];
    const histories = partitions.map((partition) => ({ partition, ...this.#committedIn(partition) }));
    const topAtArrival = new Map(histories.map(({ partition, top }) => [partition, top]));
    const knownAtArrival = new Map(histories.map(({ partition, known }) => [partition, known]));
    const handle = handleOf(shard, life, token);
    this.#asked.set(handle, {
      body,
      topAtArrival,
      knownAtArrival,
      arrivedAt: this.#now(),
      hybridTime,
    });
    if (body.kind === 'write') this.#write(body.requestId).deliveries.set(handle, 'pending');
  }

  readyTaken({ shard, life }: ShardLife, ready: Ready, view: ShardView): void {
    for (const event of ready.events) {
      this.#ghost.noteEvent(shard, life, event);
      this.#judge.check(() => {
        checkVerification(shard, event);
      });
    }
    for (const { message } of ready.messages) this.#ghost.noteSent(shard, life, message);
    for (const status of view.statuses) {
      this.#judge.check(() => {
        checkInFlight(shard, status, view.inFlightMax);
      });
      this.#ghost.checkStatus(shard, status, view.database);
    }
  }

  transactionTakesEffect(
    shard: ShardOrdinal,
    database: ShardDatabase,
    transaction: StorageTransaction,
  ): void {
    this.#ghost.applyTransaction(shard, database, transaction);
  }

  answered({ shard, life }: ShardLife, token: number, reply: ShardReply): void {
    this.answers[reply.kind] = (this.answers[reply.kind] ?? 0) + 1;
    const handle = handleOf(shard, life, token);
    const asked = this.#asked.get(handle);
    this.#asked.delete(handle);
    if (asked === undefined) return;
    const { body } = asked;
    this.#judge.check(() => {
      if (body.kind === 'write') this.#checkWrite(this.#write(body.requestId), handle, reply);
      else if (body.kind === 'read') this.#checkRead(shard, body, asked, reply);
      else this.#checkScan(shard, body, asked, reply);
    });
  }

  #checkWrite(write: ClientWrite, handle: string, reply: ShardReply): void {
    switch (reply.kind) {
      case 'written':
        this.#checks.written(write, reply);
        return;
      case 'conditionFailed':
        this.#checks.conditionFailed(write, reply);
        return;
      case 'absent':
        this.#checks.absent(write);
        return;
      case 'notLeader':
      case 'overloaded':
        write.deliveries.set(handle, 'refused');
        return;
      case 'outcomeUnknown':
        return;
      default:
        fail('answers', `a write was answered ${reply.kind}`);
    }
  }

  #checkRead(
    shard: ShardOrdinal,
    body: Extract<RequestBody, { kind: 'read' }>,
    asked: Asked,
    reply: ShardReply,
  ): void {
    if (reply.kind !== 'row') return;
    const { partition, key, consistency } = body;
    if (consistency.kind === 'linearizable') {
      const from = asked.topAtArrival.get(partition) ?? 0;
      this.#checks.row('linearizable read', { partition, key, from }, reply.row);
      this.#checks.notExpired(reply.row, asked.hybridTime);
      return;
    }
    const { maxStalenessMs } = consistency;
    if (maxStalenessMs !== null && (reply.stalenessMs === null || reply.stalenessMs > maxStalenessMs)) {
      fail('staleness', `${String(maxStalenessMs)} asked for, answered ${String(reply.stalenessMs)}`);
    }
    const from = this.#provenBy(shard, partition, asked, reply.stalenessMs);
    const check = reply.stalenessMs === null ? 'stale read' : 'staleness';
    this.#checks.row(check, { partition, key, from }, reply.row);
  }

  /** What must be in an answer of that age: everything that somebody knew to be committed before. */
  #provenBy(
    shard: ShardOrdinal,
    partition: PartitionIndex,
    { arrivedAt }: Asked,
    ageMs: number | null,
  ): Revision {
    if (ageMs === null) return 0;
    const { committed } = this.#ghost.partition(partition);
    return committed.knownAt(arrivedAt - ageMs / this.#clockRate(shard));
  }

  /** Key by key: rows that are there, and keys within what was scanned that are not. */
  #checkScan(
    shard: ShardOrdinal,
    body: Extract<RequestBody, { kind: 'scan' }>,
    asked: Asked,
    reply: ShardReply,
  ): void {
    if (reply.kind !== 'rows' || reply.notLed.length > 0) return;
    const { consistency } = body;
    const rows = new Map(reply.rows.map((row) => [row.key, row]));
    for (const partition of body.partitions) {
      const keys = this.#keysCovered(partition, body, reply);
      if (consistency.kind === 'linearizable') {
        // What others have committed without the leader's knowledge may be missing: nobody was told of it yet.
        const from = asked.knownAtArrival.get(partition) ?? 0;
        for (const key of keys) {
          this.#checks.row('linearizable scan', { partition, key, from }, rows.get(key) ?? null);
        }
      } else {
        const from = this.#provenBy(shard, partition, asked, consistency.maxStalenessMs);
        this.#checks.snapshot({ partition, from }, keys, rows);
      }
    }
    if (consistency.kind === 'linearizable') {
      for (const row of reply.rows) this.#checks.notExpired(row, asked.hybridTime);
    }
  }

  /** Those which the answer says something of: up to the last row, where there are more. */
  #keysCovered(
    partition: PartitionIndex,
    { reverse }: Extract<RequestBody, { kind: 'scan' }>,
    { rows, more }: Extract<ShardReply, { kind: 'rows' }>,
  ): string[] {
    const keys = [...this.#ghost.partition(partition).committed.keys];
    const last = rows.at(-1)?.key;
    if (!more) return keys;
    if (last === undefined) return [];
    return keys.filter((key) => (reverse ? compareKeys(key, last) >= 0 : compareKeys(key, last) <= 0));
  }

  #committedIn(partition: PartitionIndex): { readonly top: Revision; readonly known: Revision } {
    const { top, known } = this.#ghost.partition(partition).committed;
    return { top, known };
  }

  #write(requestId: string): ClientWrite {
    const write = this.#ghost.writes.get(requestId);
    if (write === undefined) throw new RangeError(`unknown request ${requestId}`);
    return write;
  }
}

/** Nobody but the shards changes their rows. */
function checkVerification(shard: ShardOrdinal, event: PaxosEvent): void {
  if (event.kind !== 'rowMended' && event.kind !== 'rowDiffers') return;
  const what = event.kind === 'rowMended' ? 'mended' : 'found to differ';
  fail('verification', `at shard ${String(shard)} a row of key ${event.key} was ${what}`);
}

/** Once its barrier is committed, what is not committed is the leader's own. */
function checkInFlight(shard: ShardOrdinal, status: PartitionStatus, inFlightMax: number): void {
  const inFlight = status.position.revision - status.commit;
  if (status.role !== 'leader' || !status.serving || inFlight <= inFlightMax) return;
  fail(
    'in flight',
    `shard ${String(shard)} has ${String(inFlight)} revisions in flight, at most ${String(inFlightMax)} are allowed`,
  );
}

function handleOf(shard: ShardOrdinal, life: number, token: number): string {
  return `${String(shard)}/${String(life)}/${String(token)}`;
}
