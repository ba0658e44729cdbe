import type { ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { FinishRequest, PageRequest } from '../messages.js';
import type { Replica } from '../partition/replica.js';
import type { PartitionRecord, Row } from '../records.js';
import {
  isServed,
  isSource,
  readDelta,
  requireCopy,
  serve,
  snapshotAt,
  type SourcePort,
} from './repair-source.js';

export type CopySourcePort = SourcePort & Port<'now' | 'limits' | 'outbox' | 'reads'>;

/** 4.3.4, 4.3.5: rows from a key on, all of them or those past the base, and the present rows of the named keys. */
export function onPageRequest(
  context: CopySourcePort,
  replica: Replica,
  from: ShardOrdinal,
  message: PageRequest,
): void {
  if (!isSource(context, replica, from, message)) return;
  if (isServed(context, replica, from)) return;
  const { leader } = replica;
  if (leader !== null) leader.progressOf(from).askedAt = context.now;
  const { ballot, keys, base } = message;
  let snapshot: PartitionRecord | null = null;
  let named: readonly Row[] = [];
  let absent: readonly string[] = [];
  const { served } = context;
  served.readBegins(from, replica.partition);
  /** Null withdraws the read. */
  const takeSnapshot = (): PartitionRecord | null => {
    snapshot = snapshotAt(replica, ballot);
    if (snapshot === null) served.readEnds(from, replica.partition);
    return snapshot;
  };
  if (keys.length > 0) {
    // Read before the page: what changes in between is past the base, and so in a page.
    context.reads.delta(
      () => {
        const taken = takeSnapshot();
        if (taken === null) return null;
        const { partition, generation, position } = taken;
        const { repairBytesMax } = context.limits;
        const nothingPast = { base: position.revision, limitRows: 1, limitBytes: repairBytesMax };
        return { kind: 'delta', partition, generation, keys, ...nothingPast };
      },
      (result) => {
        named = result.named.filter((row) => row !== null);
        absent = keys.filter((_key, index) => (result.named[index] ?? null) === null);
        readPage();
      },
    );
  } else {
    readPage();
  }

  function readPage(): void {
    context.reads.page(
      () => {
        const taken = takeSnapshot();
        if (taken === null) return null;
        const { partition, generation } = taken;
        const { repairRowsMax: limitRows, repairBytesMax: limitBytes } = context.limits;
        const range = { start: message.start, base, keysOnly: false, limitRows, limitBytes };
        return { kind: 'page', partition, generation, ...range };
      },
      (result) => {
        served.readEnds(from, replica.partition);
        if (snapshot === null || snapshotAt(replica, ballot) === null) return;
        const { partition, epoch, copyId, pass, start } = message;
        serve(context, replica, from, {
          kind: 'page',
          partition,
          epoch,
          ballot,
          copyId,
          pass,
          start,
          nextKey: result.nextKey,
          rows: merge(result.rows, named),
          absent: withoutRows(absent, result.rows),
          commit: replica.commit,
          purgedTo: replica.record.purgedTo,
          dedupeFloor: replica.record.dedupeFloor,
        });
      },
    );
  }
}

/** The page was read after the named rows: where both have a key, the page's row is as new or newer. */
function merge(page: readonly Row[], named: readonly Row[]): Row[] {
  const keys = new Set(page.map((row) => row.key));
  return [...page, ...named.filter((row) => !keys.has(row.key))];
}

function withoutRows(absent: readonly string[], page: readonly Row[]): string[] {
  const keys = new Set(page.map((row) => row.key));
  return absent.filter((key) => !keys.has(key));
}

/** 4.3.5: a repair of the staged rows, if the rest fits one. */
export function onFinishRequest(
  context: CopySourcePort,
  replica: Replica,
  from: ShardOrdinal,
  message: FinishRequest,
): void {
  if (!isSource(context, replica, from, message)) return;
  if (isServed(context, replica, from)) return;
  const { ballot, base, keys, copyId, partition, epoch } = message;
  const { leader } = replica;
  if (leader !== null) leader.progressOf(from).askedAt = context.now;
  readDelta(context, replica, { from, ballot, base, keys, ownRevision: base }, (answer) => {
    if (answer === null) requireCopy(context, replica, from, message);
    else serve(context, replica, from, { kind: 'finish', partition, epoch, ballot, copyId, base, ...answer });
  });
}
