import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { answer, assignment, P, put, rowsOf, scan, started, write } from '../../test/cluster-client.js';
import { LIMITS, type MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import { makeBallot, PaxosShard, type Accepts, type Ready, type Row, type ScanRequest } from '../index.js';

const ANY_AGE = { kind: 'stale', maxStalenessMs: null } as const;

const SCAN = {
  kind: 'scan',
  partitions: [P],
  range: { start: '', end: null },
  reverse: false,
  keysOnly: false,
  limitRows: 100,
  limitBytes: 1 << 20,
  consistency: ANY_AGE,
} as const;

const OTHER = P + 1;
const FIRST = makeBallot(1, 1);
const NEXT = makeBallot(2, 2);

function rowAt(revision: number): Row {
  const times = { createdAt: 1, modifiedAt: 1, expiresAt: null, requestFloor: 0 };
  const value = new Uint8Array();
  return { key: 'k', value, contentType: '', revision, version: 1, requests: [], ...times };
}

/** The first row of a partition, from shard 1, which does not call it committed. */
function accepts(number: number, partition: number): Accepts {
  const previous = { ballot: 0, revision: 0 };
  const next = { ballot: FIRST, revision: 1 };
  const batch = { partition, epoch: 1, ballot: FIRST, previous, next, rows: [rowAt(1)], commit: 0 };
  return { kind: 'accepts', incarnation: 1, number, lease: { sentAt: 1 }, batches: [batch] };
}

/** Shard 3 on its own, whose storage the test is. */
class Follower {
  readonly shard = new PaxosShard({
    ordinal: 3,
    incarnation: 1,
    timings: TIMINGS,
    limits: LIMITS,
    records: [],
    stamp: () => 1,
    prng: seededPrng(1),
    startedAt: 0,
  });
  now = 1;

  constructor() {
    this.shard.learnMap([assignment(), assignment({ partition: OTHER })], this.now);
    this.settle();
  }

  hear(from: number, message: Parameters<PaxosShard['receive']>[1]): void {
    this.now += 1;
    this.shard.receive(from, message, this.now);
  }

  /** Until no transaction runs; reads find nothing but the row. */
  settle(): void {
    for (let ready = this.shard.takeReady(); ready.transaction !== null || ready.reads.length > 0;) {
      this.answer(ready);
      if (ready.transaction !== null) this.shard.transactionDurable(ready.transaction.id, this.now);
      ready = this.shard.takeReady();
    }
  }

  answer({ reads }: Ready): void {
    for (const { kind, id } of reads) {
      const rows = [{ partition: P, row: rowAt(1) }];
      if (kind === 'scan') this.shard.readDone({ kind, id, rows, more: false }, this.now);
    }
  }
}

describe('a stale scan', () => {
  it('is answered by a quiet follower', () => {
    const cluster = started();
    write(cluster, 'a', 'one');
    cluster.run(400);
    expect(rowsOf(answer(cluster, scan(cluster, 2, ANY_AGE)))?.map(({ key }) => key)).toEqual(['a']);
  });

  it('never returns rows that were not chosen, though a repair moved the position back meanwhile', () => {
    const cluster = started();
    write(cluster, 'a', 'chosen');
    cluster.run(300);
    cluster.loses = (from, { to }) => from === 1 || to === 1;
    cluster.holdsRead = (shard, { kind }) => shard === 1 && kind === 'scan';
    // Nothing is under way when it is asked; it reads what is written in the same turn.
    const token = scan(cluster, 1, ANY_AGE);
    put(cluster, 'b', 'never chosen');
    cluster.until(() => [2, 3].includes(leaderAmongOthers(cluster)), 5_000);
    expect(cluster.storage(1).liveRows(P).has('b')).toBe(true);
    cluster.loses = () => false;
    cluster.until(() => !cluster.storage(1).liveRows(P).has('b'), 5_000);
    cluster.run(50);
    cluster.answerReads(1);
    expect(rowsOf(answer(cluster, token))).toBe(null);
  });

  it('does not return a row that came between the question and the read, and is not known to be chosen', () => {
    const cluster = started();
    write(cluster, 'a', 'chosen');
    cluster.run(400);
    put(cluster, 'b', 'on its way');
    cluster.until(() => cluster.storage(1).liveRows(P).has('b'));
    // The batch comes in the turn in which this is read.
    expect(cluster.storage(2).liveRows(P).has('b')).toBe(false);
    const token = scan(cluster, 2, ANY_AGE);
    cluster.step();
    expect(cluster.storage(2).liveRows(P).has('b')).toBe(true);
    expect(rowsOf(answer(cluster, token))).toBe(null);
  });

  it('is not even read where it is known that it cannot be answered', () => {
    const cluster = started();
    write(cluster, 'a', 'chosen');
    cluster.run(400);
    put(cluster, 'b', 'on its way');
    cluster.until(() => cluster.storage(2).liveRows(P).has('b'));
    let scansRead = 0;
    cluster.holdsRead = (_shard, { kind }) => {
      scansRead += Number(kind === 'scan');
      return false;
    };
    expect(rowsOf(answer(cluster, scan(cluster, 2, ANY_AGE)))).toBe(null);
    expect(scansRead).toBe(0);
  });

  it('is refused while a copy takes the place of the rows: those that it reads are about to be removed', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    // The first copy leaves a record that knows its rows to be chosen; the second one takes their place.
    for (const copies of [1, 2]) {
      cluster.kill(3);
      for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, `${copies}`);
      cluster.pace = { turnMs: () => 0, transactionMs: () => 5 };
      cluster.start(3);
      cluster.until(() => copiesFinished(cluster, 3) === copies);
      if (copies === 1) cluster.run(20);
    }
    let scansRead = 0;
    cluster.holdsRead = (shard, { kind }) => {
      scansRead += Number(shard === 3 && kind === 'scan');
      return false;
    };
    expect(rowsOf(answer(cluster, scan(cluster, 3, ANY_AGE)))).toBe(null);
    expect(scansRead).toBe(1);
    cluster.run(50);
    expect(rowsOf(answer(cluster, scan(cluster, 3, ANY_AGE)))).toHaveLength(300);
  });

  it('is refused while what undoes a row is gathered: the read still sees it', () => {
    const follower = new Follower();
    const { shard } = follower;
    follower.hear(1, accepts(1, P));
    follower.settle();
    const header = { partition: P, epoch: 1, ballot: NEXT, commit: 0, purgedTo: 0 };
    follower.hear(2, { kind: 'repairOffer', ...header });
    follower.settle();
    follower.hear(1, accepts(2, OTHER));
    expect(shard.takeReady().transaction?.upserts).toHaveLength(1);
    const from = { ballot: FIRST, revision: 1 };
    const to = { ballot: NEXT, revision: 0 };
    follower.hear(2, { kind: 'delta', ...header, from, to, rows: [], absent: ['k'], dedupeFloor: 0 });
    expect(shard.status().find(({ partition }) => partition === P)?.position).toEqual(to);
    const ask: ScanRequest = { ...SCAN, token: 1, deadline: follower.now + 5_000 };
    shard.submit(ask, follower.now);
    const ready = shard.takeReady();
    follower.answer(ready);
    const replies = [...ready.replies, ...shard.takeReady().replies];
    expect(replies).toMatchObject([{ kind: 'rows', rows: [], notLed: [P] }]);
  });
});

function copiesFinished({ events }: MemoryCluster, ordinal: number): number {
  return events.filter(({ shard, event }) => shard === ordinal && event.kind === 'copyFinished').length;
}

function leaderAmongOthers(cluster: MemoryCluster): number {
  const leads = (ordinal: number): boolean =>
    cluster
      .shard(ordinal)
      .status()
      .some((entry) => entry.partition === P && entry.serving);
  return [2, 3].find(leads) ?? 0;
}
