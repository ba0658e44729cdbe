/** Joins shards and checks: what a shard was asked, did, stored and answered, each at its instant. */
import type { PartitionStatus, Ready, ShardReply, StorageTransaction } from '@ringleader/paxos';
import { compareKeys, type PartitionIndex, type Revision, type ShardOrdinal } from '@ringleader/primitives';
import { SimulationFailure } from '@ringleader/testing-simulation';
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
}

/** How often each kind of answer was given: a run in which nothing happens proves nothing. */
export type AnswerCounts = Partial<Record<ShardReply['kind'], number>>;

export class ShardObserver {
  readonly answers: AnswerCounts = {};
  readonly #ghost: Ghost;
  readonly #now: () => number;
  readonly #clockRate: (shard: ShardOrdinal) => number;
  readonly #checks: AnswerChecks;
  readonly #asked = new Map<string, Asked>();

  constructor(ghost: Ghost, now: () => number, clockRate: (shard: ShardOrdinal) => number) {
    this.#ghost = ghost;
    this.#now = now;
    this.#clockRate = clockRate;
    this.#checks = new AnswerChecks((partition) => ghost.partition(partition).committed);
  }

  asked({ shard, life }: ShardLife, token: number, body: RequestBody): void {
    const partitions = body.kind === 'scan' ? body.partitions : [body.partition];
    const histories = partitions.map((partition) => ({ partition, ...this.#committedIn(partition) }));
    const topAtArrival = new Map(histories.map(({ partition, top }) => [partition, top]));
    const knownAtArrival = new Map(histories.map(({ partition, known }) => [partition, known]));
    const handle = handleOf(shard, life, token);
    this.#asked.set(handle, { body, topAtArrival, knownAtArrival, arrivedAt: this.#now() });
    if (body.kind === 'write') this.#write(body.requestId).deliveries.set(handle, 'pending');
  }

  readyTaken({ shard, life }: ShardLife, ready: Ready, view: ShardView): void {
    for (const event of ready.events) this.#ghost.noteEvent(shard, life, event);
    for (const { message } of ready.messages) this.#ghost.noteSent(shard, life, message);
    for (const status of view.statuses) this.#ghost.checkStatus(shard, status, view.database);
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
    if (body.kind === 'write') this.#checkWrite(this.#write(body.requestId), handle, reply);
    else if (body.kind === 'read') this.#checkRead(shard, body, asked, reply);
    else this.#checkScan(body, asked, reply);
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
        throw new SimulationFailure('answers', `a write was answered ${reply.kind}`);
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
      return;
    }
    const { maxStalenessMs } = consistency;
    if (maxStalenessMs !== null && (reply.stalenessMs === null || reply.stalenessMs > maxStalenessMs)) {
      throw new SimulationFailure(
        'staleness',
        `${String(maxStalenessMs)} asked for, answered ${String(reply.stalenessMs)}`,
      );
    }
    const { committed } = this.#ghost.partition(partition);
    const from =
      reply.stalenessMs === null
        ? 0
        : committed.knownAt(asked.arrivedAt - reply.stalenessMs / this.#clockRate(shard));
    const check = reply.stalenessMs === null ? 'stale read' : 'staleness';
    this.#checks.row(check, { partition, key, from }, reply.row);
  }

  /**
   * Key by key: rows that are there, and keys within what was scanned that are not. A scan shows what the leader has
   * stored: what others have committed without its knowledge may be missing, for nobody was told of it yet.
   */
  #checkScan(body: Extract<RequestBody, { kind: 'scan' }>, asked: Asked, reply: ShardReply): void {
    if (reply.kind !== 'rows' || reply.notLed.length > 0) return;
    if (body.consistency.kind !== 'linearizable') return;
    const last = reply.rows.at(-1)?.key;
    const rows = new Map(reply.rows.map((row) => [row.key, row]));
    const isPast = (key: string): boolean =>
      last === undefined || (body.reverse ? compareKeys(key, last) < 0 : compareKeys(key, last) > 0);
    for (const partition of body.partitions) {
      const from = asked.knownAtArrival.get(partition) ?? 0;
      for (const key of this.#ghost.partition(partition).committed.keys) {
        if (reply.more && isPast(key)) continue;
        this.#checks.row('linearizable scan', { partition, key, from }, rows.get(key) ?? null);
      }
    }
  }

  #committedIn(partition: PartitionIndex): { readonly top: Revision; readonly known: Revision } {
    const { top, known } = this.#ghost.partition(partition).committed;
    return { top, known };
  }

  #write(requestId: string): ClientWrite {
    const write = this.#ghost.writes.get(requestId);
    if (write === undefined) throw new SimulationFailure('harness', `unknown request ${requestId}`);
    return write;
  }
}

function handleOf(shard: ShardOrdinal, life: number, token: number): string {
  return `${String(shard)}/${String(life)}/${String(token)}`;
}
