/**
 * Shards in memory behind the router's port: the semantics of one node (conditions, versions, repeats by request id,
 * floors, tombstones, ordered scans) with leaders that can be moved, and frames that can be lost, held or answered with
 * something else. Not a model of Paxos: there is one copy of everything.
 */
import type { FramedRequest, PartitionEntry, ReplyFrame } from '@ringleader/contracts';
import { partitionOf } from '@ringleader/hash-ring';
import type { Condition, RequestMark, Row, ShardReply } from '@ringleader/paxos';
import { compareKeys } from '@ringleader/primitives';
import { nextHybridTime } from '@ringleader/hybrid-clock';
import type { HybridTime, PartitionIndex, ShardOrdinal, WallMs } from '@ringleader/primitives';
import type { LeaderTable } from '../../src/routing/routing-table.js';
import type { ShardFrames } from '../../src/routing/shard-channel.js';

type Framed<K extends FramedRequest['kind']> = Extract<FramedRequest, { readonly kind: K }>;
type FramedWrite = Framed<'write'>;

const ORDINALS = 65_536;
const MARKS_KEPT = 4;
const EPOCH = 1;

interface Partition {
  leader: ShardOrdinal;
  round: number;
  revision: number;
  readonly rows: Map<string, Row>;
  /** Failed conditions answered at the present ballot. */
  readonly failures: Map<string, ShardReply>;
}

export class InMemoryShards implements ShardFrames {
  readonly entries: PartitionEntry[];
  isOpen = true;
  readonly framesSent: { readonly shard: ShardOrdinal; readonly requests: readonly FramedRequest[] }[] = [];
  /** Decides over each request before it is carried out: an answer in its place, 'lose' it, or null for the usual. */
  intercept: (request: FramedRequest, shard: ShardOrdinal) => ShardReply | 'lose' | null = () => null;
  /** Whether the answer to a request that was carried out is lost. */
  losesReply: (request: FramedRequest, reply: ShardReply) => boolean = () => false;
  private readonly partitions: Partition[];
  private readonly silent = new Set<ShardOrdinal>();
  private listener: (frame: ReplyFrame) => void = () => undefined;
  private clock: HybridTime = 0;

  constructor(
    readonly partitionCount: number,
    readonly shards: readonly ShardOrdinal[],
    /** When a frame arrives. */
    private readonly soon: (task: () => void) => void = (task) => void setImmediate(task),
    private readonly wallMs: () => WallMs = Date.now,
  ) {
    this.partitions = Array.from({ length: partitionCount }, (_, index) => ({
      leader: shards[index % shards.length] as ShardOrdinal,
      round: 1,
      revision: 0,
      rows: new Map(),
      failures: new Map(),
    }));
    this.entries = this.partitions.map(({ leader }, partition) => ({
      partition,
      epoch: EPOCH,
      replicas: [...shards],
      nextReplicas: null,
      learners: [],
      preferredLeader: leader,
    }));
  }

  entry(partition: PartitionIndex): PartitionEntry | undefined {
    return this.entries[partition];
  }

  onReplies(listener: (frame: ReplyFrame) => void): void {
    this.listener = listener;
  }

  hasRoom(): boolean {
    return true;
  }

  onRoom(): void {
    // There always is.
  }

  send(shard: ShardOrdinal, requests: readonly FramedRequest[]): void {
    this.framesSent.push({ shard, requests });
    this.soon(() => {
      if (this.silent.has(shard)) return;
      const replies = requests.flatMap((request) => this.handle(request, shard));
      if (replies.length > 0) this.deliver(shard, replies);
    });
  }

  /** Hands the gateway a frame of answers. */
  deliver(shard: ShardOrdinal, replies: readonly ShardReply[]): void {
    this.listener({ kind: 'replies', servedBy: shard, hybridTime: this.tick(), replies });
  }

  /** All leaders at their present ballots, as the shards would announce them. */
  announce(leaders: LeaderTable, now: number): void {
    this.partitions.forEach((_, partition) => {
      const ballot = this.ballot(partition);
      leaders.announce(ballot % ORDINALS, { partition, epoch: EPOCH, ballot }, now);
    });
  }

  ballot(partition: PartitionIndex): number {
    const { round, leader } = this.partition(partition);
    return round * ORDINALS + leader;
  }

  moveLeader(partition: PartitionIndex, leader: ShardOrdinal): void {
    const moved = this.partition(partition);
    moved.leader = leader;
    moved.round += 1;
    moved.failures.clear();
  }

  /** The shard answers nothing from now on, or again. */
  silence(shard: ShardOrdinal, isSilent: boolean): void {
    if (isSilent) this.silent.add(shard);
    else this.silent.delete(shard);
  }

  partitionOfKey(key: string): PartitionIndex {
    return partitionOf(key, this.partitionCount);
  }

  /** Answers a request at the present moment, without the listener: what a late message would do. */
  carryOut(request: FramedRequest, shard: ShardOrdinal): ShardReply {
    switch (request.kind) {
      case 'write':
        return this.write(request, shard);
      case 'read':
        return this.read(request, shard);
      case 'scan':
        return this.scan(request, shard);
    }
  }

  private handle(request: FramedRequest, shard: ShardOrdinal): ShardReply[] {
    const verdict = this.intercept(request, shard);
    if (verdict === 'lose') return [];
    if (verdict !== null) return [{ ...verdict, token: request.token }];
    const reply = this.carryOut(request, shard);
    return this.losesReply(request, reply) ? [] : [reply];
  }

  private write(request: FramedWrite, shard: ShardOrdinal): ShardReply {
    const { token, partition: index, requestId, operation } = request;
    const partition = this.partition(index);
    if (partition.leader !== shard || request.ballot !== this.ballot(index))
      return this.notLeader(token, index);
    const row = partition.rows.get(operation.key);
    const known = knownAnswer(request, partition, row);
    if (known !== null) return known;
    const present = liveRow(row);
    if (!operation.conditions.every((condition) => holds(condition, present))) {
      const { revision, version } = present ?? ABSENT;
      const failed: ShardReply = { kind: 'conditionFailed', token, revision, version };
      partition.failures.set(requestId, failed);
      return failed;
    }
    if (operation.kind === 'delete' && present === null) return { kind: 'absent', token };
    return this.apply(request, partition, row);
  }

  private apply(request: FramedWrite, partition: Partition, row: Row | undefined): ShardReply {
    const { token, requestId: id, origin, operation } = request;
    const present = liveRow(row);
    const now = this.tick();
    partition.revision += 1;
    const { revision } = partition;
    const version = operation.kind === 'delete' ? 0 : (present?.version ?? 0) + 1;
    const mark: RequestMark = { id, origin, revision, version };
    const stored =
      operation.kind === 'put'
        ? { value: Buffer.from(operation.value), contentType: operation.contentType }
        : { value: null, contentType: '' };
    const next: Row = {
      key: operation.key,
      ...stored,
      revision,
      version,
      createdAt: present?.createdAt ?? now,
      modifiedAt: now,
      expiresAt: null,
      ...remember(row, mark),
    };
    partition.rows.set(operation.key, next);
    return written(token, next, mark);
  }

  private read(
    { token, partition: index, key, consistency }: Framed<'read'>,
    shard: ShardOrdinal,
  ): ShardReply {
    const partition = this.partition(index);
    if (consistency.kind === 'linearizable' && partition.leader !== shard)
      return this.notLeader(token, index);
    const stalenessMs = consistency.kind === 'stale' ? 1 : 0;
    return { kind: 'row', token, row: liveRow(partition.rows.get(key)), stalenessMs };
  }

  private scan(request: Framed<'scan'>, shard: ShardOrdinal): ShardReply {
    const { token, partitions, range, reverse, keysOnly, limitRows, limitBytes } = request;
    const notLed = partitions.filter((index) => this.partition(index).leader !== shard);
    if (notLed.length > 0) return { kind: 'rows', token, rows: [], more: false, notLed };
    const inRange = ({ key, value }: Row): boolean =>
      value !== null &&
      compareKeys(key, range.start) >= 0 &&
      (range.end === null || compareKeys(key, range.end) < 0);
    const found = partitions
      .flatMap((index) => [...this.partition(index).rows.values()].filter(inRange))
      .sort((a, b) => (reverse ? compareKeys(b.key, a.key) : compareKeys(a.key, b.key)));
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of found) {
      if (rows.length === limitRows || bytes >= limitBytes) break;
      bytes += row.value?.length ?? 0;
      rows.push(keysOnly ? { ...row, value: Buffer.alloc(0) } : row);
    }
    return { kind: 'rows', token, rows, more: rows.length < found.length, notLed: [] };
  }

  private notLeader(token: number, index: PartitionIndex): ShardReply {
    const { leader } = this.partition(index);
    return { kind: 'notLeader', token, ballot: this.ballot(index), leader, epoch: EPOCH };
  }

  private partition(index: PartitionIndex): Partition {
    return this.partitions[index] as Partition;
  }

  private tick(): HybridTime {
    this.clock = nextHybridTime(this.clock, this.wallMs());
    return this.clock;
  }
}

const ABSENT = { revision: 0, version: 0 };

function liveRow(row: Row | undefined): Row | null {
  return row === undefined || row.value === null ? null : row;
}

/** Of a repeated request, or of one that may be one. */
function knownAnswer(request: FramedWrite, partition: Partition, row: Row | undefined): ShardReply | null {
  const { token, requestId, origin } = request;
  const failed = partition.failures.get(requestId);
  if (failed !== undefined) return { ...failed, token };
  if (row === undefined) return null;
  const mark = [...row.requests].find(({ id }) => id === requestId);
  if (mark !== undefined) return written(token, row, mark);
  return origin <= row.requestFloor ? { kind: 'outcomeUnknown', token } : null;
}

/** The last four requests; what falls off raises the floor. */
function remember(row: Row | undefined, mark: RequestMark): Pick<Row, 'requests' | 'requestFloor'> {
  const marks = [...(row?.requests ?? []), mark];
  const dropped = marks.slice(0, Math.max(0, marks.length - MARKS_KEPT));
  const requestFloor = dropped.reduce((floor, { origin }) => Math.max(floor, origin), row?.requestFloor ?? 0);
  return { requests: marks.slice(-MARKS_KEPT), requestFloor };
}

function holds(condition: Condition, present: Row | null): boolean {
  switch (condition.kind) {
    case 'ifRevision':
      return present?.revision === condition.revision;
    case 'ifVersion':
      return present?.version === condition.version;
    case 'ifAbsent':
      return present === null;
    case 'ifPresent':
      return present !== null;
  }
}

function written(token: number, row: Row, { revision, version }: RequestMark): ShardReply {
  const { createdAt, modifiedAt } = row;
  return { kind: 'written', token, revision, version, created: version === 1, createdAt, modifiedAt };
}
