/**
 * What a partition really is, as seen from outside of all shards: which histories its ballots have, what is durable
 * where, and so what is committed. Everything shards claim is compared with this.
 */
import type { Judge } from '@ringleader/testing-simulation';
import type { PartitionAssignment, PartitionRecord, Position, Row } from '@ringleader/paxos';
import type { Ballot, Epoch, PartitionIndex, Revision, ShardOrdinal } from '@ringleader/primitives';
import { fail, type CheckId } from '../checks.js';
import { describeRow } from '../fingerprint.js';
import type { ReplicaRows } from '../shard-database.js';
import { BallotHistories } from './ballot-histories.js';
import { CommittedHistory } from './committed-history.js';
import type { ClientWrite } from './operations.js';

interface RowsSeen extends Omit<ReplicaRows, 'rows'> {
  readonly shard: ShardOrdinal;
  /** Once something was purged, equal positions may differ in tombstones. */
  readonly isWhole: boolean;
}

/** What one transaction did to one partition of a shard. */
export interface DurableChange {
  readonly before: PartitionRecord | undefined;
  readonly after: PartitionRecord;
  /** Live rows that were inserted or replaced. */
  readonly changed: readonly Row[];
  readonly live: ReplicaRows;
}

export class PartitionGhost {
  readonly ballots: BallotHistories;
  readonly committed: CommittedHistory;
  readonly #partition: PartitionIndex;
  readonly #judge: Judge;
  readonly #assignment: (epoch: Epoch) => PartitionAssignment | undefined;
  /** By ballot: the greatest revision that each shard ever had durably at that ballot. */
  readonly #durable = new Map<Ballot, Map<ShardOrdinal, Revision>>();
  /** By ballot at which something is committed: up to which revision. */
  readonly #agreedTo = new Map<Ballot, Revision>();
  #highestCommitted: Ballot = 0;
  readonly #rowsAtPosition = new Map<string, RowsSeen>();

  constructor(
    partition: PartitionIndex,
    judge: Judge,
    assignment: (epoch: Epoch) => PartitionAssignment | undefined,
    writeOf: (requestId: string) => ClientWrite | undefined,
  ) {
    this.#partition = partition;
    this.#judge = judge;
    this.#assignment = assignment;
    this.ballots = new BallotHistories(judge);
    this.committed = new CommittedHistory(`partition ${String(partition)}`, judge, writeOf);
  }

  /** Whether some leader's barrier of just this epoch is (docs/PROTOCOL.md 6.3). */
  isCommittedAtEpoch(epoch: Epoch): boolean {
    return [...this.#agreedTo.keys()].some((ballot) => this.ballots.epochOf(ballot) === epoch);
  }

  /** Whether the shard ever had something durable at a ballot of that epoch; it may have lost it since. */
  wasAtEpoch(shard: ShardOrdinal, epoch: Epoch): boolean {
    return [...this.#durable].some(([ballot, at]) => at.has(shard) && this.ballots.epochOf(ballot) === epoch);
  }

  /** A transaction that changed this partition took effect. */
  noteDurable(shard: ShardOrdinal, { before, after, changed, live }: DurableChange, now: number): void {
    this.#judge.check(() => {
      if (before !== undefined) this.#checkForward(shard, before, after);
    });
    const { position } = after;
    this.ballots.noteRows(position.ballot, changed);
    if (
      before === undefined ||
      before.position.ballot !== position.ballot ||
      before.position.revision < position.revision
    ) {
      this.#noteAccepted(shard, position);
    }
    this.#judge.check(() => {
      this.#checkRecord(shard, after);
    });
    this.#judge.check(() => {
      this.#checkRowsOfPosition(shard, after, live);
    });
    this.checkReplica(shard, after.commitBound, live.rows, now);
    const isTakeOver = before !== undefined && before.position.ballot !== position.ballot;
    if (isTakeOver && position.ballot % 65_536 === shard) {
      this.#judge.check(() => {
        this.#checkTakeOver(shard, position.ballot, live.rows);
      });
    }
  }

  /** A replica's rows at or before the commit point it believes in are the committed history. */
  checkReplica(shard: ShardOrdinal, commit: Revision, rows: ReadonlyMap<string, Row>, now: number): void {
    const { top } = this.committed;
    this.#judge.check(() => {
      if (commit <= top) return;
      this.#fail(
        'commit point',
        `shard ${String(shard)} believes ${String(commit)} committed, only ${String(top)} are`,
      );
    });
    this.committed.noteKnown(Math.min(commit, top), now);
    const claim = {
      check: 'replica state',
      who: `shard ${String(shard)} at commit ${String(commit)}`,
    } as const;
    this.#judge.check(() => {
      for (const key of this.committed.keys) {
        const row = rows.get(key) ?? null;
        if (row !== null && row.revision > commit) continue;
        this.committed.checkRow(claim, key, row, commit);
      }
    });
  }

  #noteAccepted(shard: ShardOrdinal, position: Position): void {
    const { ballot, revision } = position;
    const epoch = this.ballots.epochOf(ballot);
    if (ballot === 0 || epoch === null) return;
    let durable = this.#durable.get(ballot);
    if (durable === undefined) {
      durable = new Map<ShardOrdinal, Revision>();
      this.#durable.set(ballot, durable);
    }
    durable.set(shard, Math.max(revision, durable.get(shard) ?? -1));
    const assignment = this.#assignment(epoch);
    this.#judge.check(() => {
      if (assignment === undefined)
        this.#fail('epochs', `ballot ${String(ballot)} has unknown epoch ${String(epoch)}`);
    });
    if (assignment === undefined) return;
    const chosen = Math.min(
      majorityRevision(assignment.replicas, durable),
      assignment.nextReplicas === null ? Infinity : majorityRevision(assignment.nextReplicas, durable),
    );
    if (chosen >= 0) this.#choose(ballot, chosen);
  }

  #choose(ballot: Ballot, revision: Revision): void {
    const find = (wanted: Revision): ReturnType<BallotHistories['find']> => this.ballots.find(ballot, wanted);
    const agreedTo = this.#agreedTo.get(ballot);
    if (agreedTo !== undefined && revision <= agreedTo) return;
    this.#judge.check(() => {
      if (agreedTo === undefined) this.#checkHoldsWhatWasCommitted(ballot, revision);
      if (revision > this.committed.top && ballot < this.#highestCommitted) {
        this.#fail(
          'agreement',
          `revision ${String(revision)} is committed at ballot ${String(ballot)}, after ballot ${String(this.#highestCommitted)}`,
        );
      }
      this.committed.checkAgreement(ballot, { from: (agreedTo ?? 0) + 1, to: revision }, find);
    });
    this.#agreedTo.set(ballot, revision);
    this.#highestCommitted = Math.max(this.#highestCommitted, ballot);
    this.committed.commit(ballot, revision, find);
  }

  #checkHoldsWhatWasCommitted(ballot: Ballot, revision: Revision): void {
    const adopted = this.ballots.adoptedBy(ballot)?.revision ?? revision;
    const needed = this.committed.topBelow(ballot);
    if (adopted >= needed) return;
    this.#fail(
      'agreement',
      `ballot ${String(ballot)} is committed from revision ${String(adopted)}, ${String(needed)} were committed before`,
    );
  }

  #checkForward(shard: ShardOrdinal, before: PartitionRecord, after: PartitionRecord): void {
    const wiped = after.epoch > before.epoch && after.position.ballot === 0;
    const backward =
      after.promised < before.promised ||
      after.epoch < before.epoch ||
      (!wiped && (isBefore(after.position, before.position) || after.commitBound < before.commitBound));
    if (backward) {
      this.#fail(
        'record',
        `shard ${String(shard)} went back from ${JSON.stringify(before)} to ${JSON.stringify(after)}`,
      );
    }
  }

  #checkRecord(shard: ShardOrdinal, record: PartitionRecord): void {
    const { purgedTo, commitBound, position, promised } = record;
    if (purgedTo > commitBound || commitBound > position.revision || position.ballot > promised) {
      this.#fail('record', `shard ${String(shard)} stored ${JSON.stringify(record)}`);
    }
  }

  /** Equal positions mean equal rows. */
  #checkRowsOfPosition(
    shard: ShardOrdinal,
    { position, purgedTo }: PartitionRecord,
    live: ReplicaRows,
  ): void {
    const name = `${String(position.ballot)}/${String(position.revision)}`;
    const known = this.#rowsAtPosition.get(name);
    if (known === undefined) {
      const { fingerprint, liveFingerprint } = live;
      this.#rowsAtPosition.set(name, { fingerprint, liveFingerprint, shard, isWhole: purgedTo === 0 });
      return;
    }
    const isWhole = known.isWhole && purgedTo === 0;
    if (isWhole ? known.fingerprint !== live.fingerprint : known.liveFingerprint !== live.liveFingerprint) {
      const rows = [...live.rows.values()].map(describeRow).join('; ');
      this.#fail(
        'rows of a position',
        `shard ${String(shard)} has other rows at (${name}) than shard ${String(known.shard)} had: ${rows}`,
      );
    }
  }

  /** A new leader has everything that was committed at lower ballots; newer rows may lie on top. */
  #checkTakeOver(shard: ShardOrdinal, ballot: Ballot, rows: ReadonlyMap<string, Row>): void {
    const top = this.committed.topBelow(ballot);
    const claim = {
      check: 'elected leader',
      who: `shard ${String(shard)} with ballot ${String(ballot)}`,
    } as const;
    for (const key of this.committed.keys) {
      const row = rows.get(key) ?? null;
      if (row !== null && row.revision > top) continue;
      this.committed.checkRow(claim, key, row, top);
    }
  }

  #fail(check: CheckId, what: string): never {
    fail(check, `partition ${String(this.#partition)}: ${what}`);
  }
}

function isBefore(a: Position, b: Position): boolean {
  return a.ballot < b.ballot || (a.ballot === b.ballot && a.revision < b.revision);
}

/** The greatest revision that more than half of the set has; -1 where too few are at the ballot. */
function majorityRevision(
  set: readonly ShardOrdinal[],
  durable: ReadonlyMap<ShardOrdinal, Revision>,
): Revision {
  const revisions = set.map((shard) => durable.get(shard) ?? -1).sort((a, b) => b - a);
  return revisions[Math.floor(set.length / 2)] ?? -1;
}
