/**
 * The source's half of a repair (docs/PROTOCOL.md 4.3.2): a leader, or the replica that a candidate takes over from. It
 * answers from one snapshot of record and rows.
 */
import type { Ballot, Revision, ShardOrdinal } from '@ringleader/primitives';
import { isFull } from '../pair/backlog.js';
import type { Port } from '../parts.js';
import { tellMemory } from '../partition/recollections.js';
import { noteAcknowledged, type AcknowledgementPort } from '../accept/acknowledgements.js';
import type { LeaderMessage } from '../accept/acceptor.js';
import type { Delta, DeltaRequest, Finish, Page, ShardMessage } from '../messages.js';
import { ownerOf } from '../ballot.js';
import { bytesOf } from '../partition/batches.js';
import type { PeerProgress } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { PartitionRecord, Row } from '../records.js';
import type { DeltaRead, StorageReadResult } from '../storage.js';

export type SourcePort = AcknowledgementPort &
  Port<'now' | 'limits' | 'rules' | 'outbox' | 'transactions' | 'reads' | 'served' | 'copyPace'>;

/**
 * May this replica be read from at the ballot? As its leader; or, since it promised that ballot to the candidate who
 * asks, as long as that is its promise: its rows stand still (4.1.3).
 */
export function isSource(
  context: SourcePort,
  replica: Replica,
  from: ShardOrdinal,
  message: LeaderMessage,
): boolean {
  const { ballot, partition, epoch } = message;
  const { promised } = replica.record;
  if (replica.leader?.ballot === ballot) return replica.peers.includes(from);
  if (promised === ballot) return ownerOf(ballot) === from;
  if (promised > ballot) {
    context.transactions.whenDurable(replica, () => {
      context.outbox.send(from, { kind: 'superseded', partition, epoch, ballot, promised });
    });
  }
  return false;
}

/** The record that an ordered read belongs to, if it still is a source at this ballot; null to let it be asked again. */
export function snapshotAt(replica: Replica, ballot: Ballot): PartitionRecord | null {
  const record = replica.handedOut;
  if (record.promised !== ballot || replica.record.promised !== ballot) return null;
  const leads = replica.leader?.ballot === ballot;
  return leads && record.position.ballot !== ballot ? null : record;
}

/** What a read for `peer` is of, as it is handed out; null where it is withdrawn, and ends so. */
export function recordToRead(
  context: SourcePort,
  replica: Replica,
  peer: ShardOrdinal,
  ballot: Ballot,
): PartitionRecord | null {
  const record = snapshotAt(replica, ballot);
  if (record === null) context.served.readEnds(peer, replica.partition);
  return record;
}

/** Whoever asks, asks again: not now if an answer is being read, or the last one is still on its way, or too much is. */
export function isServed(context: SourcePort, { partition }: Replica, peer: ShardOrdinal): boolean {
  return isFull(context, peer) || context.served.isUnderWay(context, peer, partition);
}

/** An answer with rows; of a copy it is counted. */
export function serve(
  context: SourcePort,
  replica: Replica,
  to: ShardOrdinal,
  message: Delta | Page | Finish,
): void {
  const { partition, leader } = replica;
  context.served.note(to, partition, context.now);
  if (leader !== null) countCopied(leader.progressOf(to), message);
  context.outbox.send(to, message);
  if (message.kind !== 'page') tellMemory(context, replica, to);
}

/** What fits a repair is no copy, and takes bytes all the same. */
function countCopied(progress: PeerProgress, message: Page | Finish | Delta): void {
  const { copied } = progress;
  const copyId = message.kind === 'delta' ? copied.copyId : message.copyId;
  const before = copied.copyId === copyId ? copied.bytes : 0;
  progress.copied = { copyId, bytes: before + bytesOf(message.rows) };
}

export function onDeltaRequest(
  context: SourcePort,
  replica: Replica,
  from: ShardOrdinal,
  message: DeltaRequest,
): void {
  if (!isSource(context, replica, from, message)) return;
  if (isServed(context, replica, from)) return;
  const { ballot, base, keys, position } = message;
  const { leader } = replica;
  if (leader !== null) {
    if (position.ballot === ballot) {
      noteAcknowledged(context, replica, leader, { peer: from, revision: position.revision });
    }
    leader.progressOf(from).askedAt = context.now;
  }
  if (keys.length > context.limits.repairRowsMax) {
    requireCopy(context, replica, from, message);
    return;
  }
  // What a newcomer gets is a copy in all but name, which gives way to users: what is no small page goes in several.
  const isNewcomer = leader !== null && position.ballot === 0;
  const bytesMax = isNewcomer ? context.copyPace.pageBytes(context.now) : context.limits.repairBytesMax;
  const query = { from, ballot, base, keys, ownRevision: position.revision, bytesMax };
  readDelta(context, replica, query, (answer) => {
    if (answer === null) {
      requireCopy(context, replica, from, message);
      return;
    }
    if (isNewcomer) context.copyPace.spend(bytesOf(answer.rows), context.now);
    const { partition, epoch } = message;
    serve(context, replica, from, { kind: 'delta', partition, epoch, ballot, from: position, ...answer });
  });
}

export interface DeltaQuery {
  /** Who asks. */
  readonly from: ShardOrdinal;
  readonly ballot: Ballot;
  readonly base: Revision;
  readonly keys: readonly string[];
  readonly ownRevision: Revision;
  readonly bytesMax: number;
}

export interface DeltaAnswer {
  readonly to: PartitionRecord['position'];
  readonly rows: readonly Row[];
  readonly absent: readonly string[];
  readonly purgedTo: Revision;
  readonly dedupeFloor: number;
  readonly commit: Revision;
}

/** `done` gets null when a copy is needed; it is not called when this replica is no source any more. */
export function readDelta(
  context: SourcePort,
  replica: Replica,
  query: DeltaQuery,
  done: (answer: DeltaAnswer | null) => void,
): void {
  let snapshot: PartitionRecord | null = null;
  let names: readonly string[] = query.keys;
  context.served.readBegins(query.from, replica.partition);
  context.reads.delta(
    () => {
      snapshot = recordToRead(context, replica, query.from, query.ballot);
      if (snapshot === null) return null;
      const read = deltaReadOf(context, replica, snapshot, query);
      names = read.keys;
      return read;
    },
    (result) => {
      context.served.readEnds(query.from, replica.partition);
      if (snapshot === null || snapshotAt(replica, query.ballot) === null) return;
      const { position, purgedTo, dedupeFloor } = snapshot;
      if (result.tooLarge || !context.rules.sourceStillHas(query.base, purgedTo, query.ownRevision)) {
        done(null);
        return;
      }
      const commit = Math.min(replica.commit, position.revision);
      done({ to: position, ...rowsOf(result, names, query), purgedTo, dedupeFloor, commit });
    },
  );
}

/**
 * The keys that changed past the base are read by name where memory reaches back that far (4.3.8), so that the writer's
 * connection passes no whole partition; as many bytes as both halves of an answer may have then stand for both.
 */
function deltaReadOf(
  context: SourcePort,
  replica: Replica,
  snapshot: PartitionRecord,
  { base, keys, bytesMax }: DeltaQuery,
): Omit<DeltaRead, 'id'> {
  const { partition, generation } = snapshot;
  const { repairRowsMax: limitRows } = context.limits;
  const read = { kind: 'delta', partition, generation, limitRows } as const;
  // What is remembered is of the present generation, which a switch that is not handed out yet may have made.
  const changed = replica.record.generation === generation ? replica.recent.past(base) : null;
  if (changed === null || changed.length > limitRows) return { ...read, base, keys, limitBytes: bytesMax };
  return {
    ...read,
    base: Number.MAX_SAFE_INTEGER,
    keys: [...new Set([...keys, ...changed])],
    limitBytes: bytesMax * 2,
  };
}

type DeltaResult = Extract<StorageReadResult, { kind: 'delta' }>;

/** Rows past the base, and the present rows of the keys that were asked for; those are the first ones of `names`. */
function rowsOf(
  result: DeltaResult,
  names: readonly string[],
  { base, keys }: DeltaQuery,
): { rows: Row[]; absent: string[] } {
  const rows = new Map(result.rows.map((row) => [row.key, row]));
  const absent: string[] = [];
  names.forEach((key, index) => {
    const row = result.named[index] ?? null;
    const isAsked = index < keys.length;
    if (row === null && isAsked) absent.push(key);
    if (row !== null && (isAsked || row.revision > base)) rows.set(key, row);
  });
  return { rows: [...rows.values()], absent };
}

export function requireCopy(
  context: SourcePort,
  replica: Replica,
  to: ShardOrdinal,
  { ballot }: LeaderMessage,
): void {
  const message: ShardMessage = {
    kind: 'copyRequired',
    partition: replica.partition,
    epoch: replica.record.epoch,
    ballot,
    commit: replica.commit,
    purgedTo: replica.record.purgedTo,
  };
  context.outbox.send(to, message);
}
