/** One partition of a `MemoryCluster`, as a gateway uses it. */
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { RULES } from '../src/index.js';
import type {
  PartitionAssignment,
  PutOperation,
  ReadRequest,
  Row,
  ScanRequest,
  ShardReply,
  VerificationPace,
  WriteRequest,
} from '../src/index.js';
import { LIMITS, MemoryCluster, TIMINGS } from './memory-cluster.js';

export const P = 7;

export function assignment(change: Partial<PartitionAssignment> = {}): PartitionAssignment {
  return {
    partition: P,
    epoch: 1,
    replicas: [1, 2, 3],
    nextReplicas: null,
    learners: [],
    preferredLeader: 1,
    ...change,
  };
}

export function started(limits = LIMITS, verification?: VerificationPace, rules = RULES): MemoryCluster {
  const timings = { ...TIMINGS, ...(verification && { verification }) };
  const cluster = new MemoryCluster([1, 2, 3], limits, timings, rules);
  cluster.learn([assignment()]);
  cluster.until(() => cluster.leaderOf(P) !== 0);
  return cluster;
}

/** Every row is read that is not in memory, though it cannot be there. */
export const READS_ALL = { ...RULES, knowsAllKeys: (): boolean => false };

const LINEARIZABLE = { kind: 'linearizable' } as const;

let requests = 0;

export function put(
  cluster: MemoryCluster,
  key: string,
  text: string,
  change: Partial<WriteRequest> = {},
): number {
  requests += 1;
  const requestId = `r${requests}`;
  return cluster.submit(cluster.leaderOf(P), (token) => ({
    kind: 'write',
    token,
    partition: P,
    epoch: 1,
    ballot: cluster.ballotOf(P),
    requestId,
    origin: cluster.now * HYBRID_UNITS_PER_MS,
    operation: {
      kind: 'put',
      key,
      value: new TextEncoder().encode(text),
      contentType: 'text/plain',
      expiresAt: null,
      conditions: [],
    },
    deadline: cluster.now + 5_000,
    ...change,
  }));
}

export function read(
  cluster: MemoryCluster,
  shard: number,
  key: string,
  consistency: ReadRequest['consistency'] = LINEARIZABLE,
): number {
  return cluster.submit(shard, (token) => ({
    kind: 'read',
    token,
    partition: P,
    epoch: 1,
    key,
    consistency,
    deadline: cluster.now + 5_000,
  }));
}

export function answer(cluster: MemoryCluster, token: number): ShardReply {
  cluster.until(() => cluster.replies.has(token));
  const reply = cluster.replies.get(token);
  if (reply === undefined) throw new Error('no reply');
  return reply;
}

export function textOf(reply: ShardReply): string | null {
  if (reply.kind !== 'row') throw new Error(`answered ${reply.kind}`);
  const value = reply.row?.value ?? null;
  return value === null ? null : new TextDecoder().decode(value);
}

export function write(cluster: MemoryCluster, key: string, text: string): ShardReply {
  return answer(cluster, put(cluster, key, text));
}

/** All replicas hold the same rows at the same position. */
export function converged(cluster: MemoryCluster, ordinals: readonly number[]): boolean {
  const states = ordinals.map((ordinal) => {
    const record = cluster.storage(ordinal).records.get(P);
    const rows = [...cluster.storage(ordinal).liveRows(P).values()].sort((a, b) => a.revision - b.revision);
    return JSON.stringify([record?.position, rows]);
  });
  return states.every((state) => state === states[0]);
}

export function putOperation(key: string, change: Partial<PutOperation> = {}): PutOperation {
  const content = { value: new Uint8Array([1]), contentType: '', expiresAt: null };
  return { kind: 'put', key, ...content, conditions: [], ...change };
}

export function scan(
  cluster: MemoryCluster,
  shard: number,
  consistency: ScanRequest['consistency'] = LINEARIZABLE,
): number {
  return cluster.submit(shard, (token) => ({
    kind: 'scan',
    token,
    partitions: [P],
    range: { start: '', end: null },
    reverse: false,
    keysOnly: false,
    limitRows: 10_000,
    limitBytes: 1 << 24,
    consistency,
    deadline: cluster.now + 5_000,
  }));
}

/** Null where the partition was not answered for. */
export function rowsOf(reply: ShardReply): readonly Row[] | null {
  if (reply.kind !== 'rows') throw new Error(`answered ${reply.kind}`);
  return reply.notLed.length > 0 ? null : reply.rows;
}

export function stalenessOf(reply: ShardReply): number {
  if (reply.kind !== 'row' || reply.stalenessMs === null) throw new Error(`no age in ${reply.kind}`);
  return reply.stalenessMs;
}
