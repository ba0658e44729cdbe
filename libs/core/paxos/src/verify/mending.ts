/**
 * A row that most replicas have otherwise is put right in place (docs/PROTOCOL.md 4.13): in the order of the transactions,
 * and only if it still is what was compared.
 */
import type { Port } from '../parts.js';
import { withNewestRow, type RowPort } from '../reads/linearizable.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { PartitionRecord, Row } from '../records.js';
import type { StorageReadResult } from '../storage.js';
import type { Found } from './compare.js';

export type MendingPort = RowPort & Port<'limits' | 'rules' | 'reads' | 'transactions' | 'outbox' | 'cache'>;

/** No key is between a key and this one. */
const after = (key: string): string => `${key}\0`;

export interface RowFound {
  readonly record: PartitionRecord;
  readonly found: Found;
  readonly row: Row | null;
}

/** In its place among the transactions; not called where the replica has left the ballot. */
export function readFound(
  context: Port<'reads' | 'limits'>,
  replica: Replica,
  { key, wantsRow }: { readonly key: string; readonly wantsRow: boolean },
  done: (found: RowFound) => void,
): void {
  let record: PartitionRecord | null = null;
  context.reads.digests(
    () => {
      record = replica.handedOut;
      const { partition, generation } = record;
      const limits = { limitRows: 1, limitBytes: context.limits.repairBytesMax };
      return {
        ...{ kind: 'digests', partition, generation, start: key, end: after(key), wantsRows: wantsRow },
        ...limits,
      };
    },
    (result: Extract<StorageReadResult, { kind: 'digests' }>) => {
      if (record === null) return;
      done({ record, found: result.digests[0]?.digest ?? null, row: result.rows[0] ?? null });
    },
  );
}

export interface Mending {
  readonly key: string;
  readonly found: Found;
  readonly row: Row | null;
}

/** `done` is told whether the row was put right, when that is durable. */
export function mendRow(
  context: MendingPort,
  replica: Replica,
  mending: Mending,
  done: (isMended: boolean) => void,
): void {
  const { leader } = replica;
  const { key } = mending;
  if (leader !== null && !holdBack(context, replica, leader, key)) {
    done(false);
    return;
  }
  const { history } = replica;
  const finish = (isMended: boolean): void => {
    if (leader !== null) letGo(context, replica, leader, key);
    done(isMended);
  };
  readFound(context, replica, { key, wantsRow: false }, ({ record, found }) => {
    const isSameReplica =
      replica.leader === leader &&
      replica.history === history &&
      replica.record.promised === record.promised &&
      replica.record.generation === record.generation;
    const changed = replica.recent.past(record.position.revision);
    const hasChanged = !isSameReplica || changed === null || changed.includes(key);
    if (!context.rules.mayMend(found === mending.found, hasChanged)) {
      finish(false);
      return;
    }
    put(context, replica, mending);
    context.transactions.whenDurable(replica, () => finish(true));
  });
}

function put({ transactions, outbox }: MendingPort, replica: Replica, { key, row }: Mending): void {
  const { record, partition } = replica;
  replica.history += 1;
  transactions.setRecord(replica, { ...record });
  if (row === null) transactions.remove(replica, record.generation, key);
  else transactions.upsert(replica, record.generation, row);
  outbox.event({ kind: 'rowMended', partition, key });
}

/**
 * At the leader whoever needs the row waits, as for a read of it, and what is in memory goes. False where it is being read
 * just now, or written: then the storage will have another one.
 */
function holdBack({ cache }: MendingPort, replica: Replica, leader: Leader, key: string): boolean {
  if (leader.reading.has(key)) return false;
  const newest = leader.rows.get(key)?.row ?? null;
  if (newest !== null && newest.revision > replica.commit) return false;
  cache.drop(leader, key);
  leader.reading.set(key, []);
  return true;
}

function letGo(context: MendingPort, replica: Replica, leader: Leader, key: string): void {
  // After a step-down all who waited were answered.
  if (replica.role !== leader) return;
  const waiting = leader.reading.get(key) ?? [];
  leader.reading.delete(key);
  for (const request of waiting) withNewestRow(context, replica, leader, request);
}
