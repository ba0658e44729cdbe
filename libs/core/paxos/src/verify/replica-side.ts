/** What a replica does when its leader has it compared (docs/PROTOCOL.md 4.13). */
import { unreachable, type ShardOrdinal } from '@ringleader/primitives';
import { ownerOf } from '../ballot.js';
import type { Mend, RowWanted, Verify } from '../messages.js';
import type { Port } from '../parts.js';
import type { Replica } from '../partition/replica.js';
import type { PartitionRecord } from '../records.js';
import { digestOfRange } from './digests.js';
import { mendRow, readFound, type MendingPort } from './mending.js';

export type ReplicaSidePort = MendingPort & Port<'limits' | 'reads' | 'outbox'>;

/** Beside what the leader has in the range, something may be that should not be there. */
const RANGE_LIMITS = { rows: 256, bytes: 256 * 1024 } as const;
const SURPLUS = 2;

/** No more rows at once than a repair may have. */
export function rangeLimits({ limits }: Port<'limits'>): {
  readonly limitRows: number;
  readonly limitBytes: number;
} {
  return {
    limitRows: Math.min(RANGE_LIMITS.rows, limits.repairRowsMax),
    limitBytes: Math.min(RANGE_LIMITS.bytes, limits.repairBytesMax),
  };
}

export function onQuestion(
  context: ReplicaSidePort,
  replica: Replica,
  from: ShardOrdinal,
  message: Verify | RowWanted | Mend,
): void {
  const { ballot } = message;
  // Only rows at the leader's ballot can be compared with its own.
  if (ownerOf(ballot) !== from || replica.leader !== null || !isAt(replica.record, ballot)) return;
  switch (message.kind) {
    case 'verify':
      return onVerify(context, replica, from, message);
    case 'rowWanted':
      return onRowWanted(context, replica, from, message);
    case 'mend':
      return onMend(context, replica, from, message);
    default:
      return unreachable(message, 'question');
  }
}

const isAt = ({ promised, position }: PartitionRecord, ballot: number): boolean =>
  promised === ballot && position.ballot === ballot;

function onVerify(context: ReplicaSidePort, replica: Replica, from: ShardOrdinal, message: Verify): void {
  const { partition, epoch, ballot, round, start, end, wantsRows } = message;
  let record: PartitionRecord | null = null;
  context.reads.digests(
    () => {
      record = replica.handedOut;
      if (!isAt(record, ballot)) return null;
      const { generation } = record;
      const { limitRows, limitBytes } = rangeLimits(context);
      const limits = { limitRows: SURPLUS * limitRows, limitBytes: SURPLUS * limitBytes };
      return { kind: 'digests', partition, generation, start, end, wantsRows: false, ...limits };
    },
    ({ digests, nextKey }) => {
      if (record === null) return;
      const { position, purgedTo } = record;
      context.outbox.send(from, {
        ...{ kind: 'verified', partition, epoch, ballot, round, revision: position.revision, purgedTo },
        end: nextKey ?? end,
        digest: digestOfRange(digests, message, context.rules),
        rows: wantsRows ? digests : [],
      });
    },
  );
}

function onRowWanted(
  context: ReplicaSidePort,
  replica: Replica,
  from: ShardOrdinal,
  message: RowWanted,
): void {
  const { partition, epoch, ballot, round, key } = message;
  readFound(context, replica, { key, wantsRow: true }, ({ record, found, row }) => {
    if (!isAt(record, ballot)) return;
    const told = { digest: found, rows: row === null ? [] : [row] };
    context.outbox.send(from, { kind: 'rowTold', partition, epoch, ballot, round, ...told });
  });
}

function onMend(context: ReplicaSidePort, replica: Replica, from: ShardOrdinal, message: Mend): void {
  const { partition, epoch, ballot, round, key, found, rows } = message;
  const row = rows[0] ?? null;
  mendRow(context, replica, { key, found, row }, (done) => {
    context.outbox.send(from, { kind: 'mended', partition, epoch, ballot, round, done });
  });
}
