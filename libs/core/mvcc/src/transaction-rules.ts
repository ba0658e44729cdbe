/** What can be said of a transaction without the store: at the edge before it is proposed, and again where it is applied. */
import { NESTING_DEPTH_MAX } from './commands.js';
import type { Branches, Operation, Rejection } from './commands.js';
import { type KeyRange, KeySet } from './key-range.js';

/** Whether no branch can change anything. */
export function isReadOnly({ success, failure }: Branches): boolean {
  return [...success, ...failure].every((operation) =>
    operation.kind === 'txn' ? isReadOnly(operation) : operation.kind === 'range',
  );
}

/** Why it is refused whatever the store has, or null. Both branches are looked at: a transaction is wrong or it is not. */
export function refusalOf({ success, failure }: Branches): Rejection | null {
  if (depthOf(success) > NESTING_DEPTH_MAX || depthOf(failure) > NESTING_DEPTH_MAX) {
    return { reason: 'nestedTooDeep', depthMax: NESTING_DEPTH_MAX };
  }
  for (const branch of [success, failure]) {
    const key = duplicateKey(branch);
    if (key !== null) return { reason: 'duplicateKey', key };
  }
  return null;
}

/** Looks one level deeper than is allowed, and no further. */
function depthOf(operations: readonly Operation[], above = 0): number {
  if (above > NESTING_DEPTH_MAX) return 0;
  let depth = 0;
  for (const operation of operations) {
    if (operation.kind !== 'txn') continue;
    const { success, failure } = operation;
    depth = Math.max(depth, 1 + depthOf(success, above + 1), 1 + depthOf(failure, above + 1));
  }
  return depth;
}

/** What one operation, or all of a kind, may change. */
interface Part {
  readonly puts: ReadonlySet<string>;
  readonly deleted: readonly KeyRange[];
}

/**
 * A key that these operations might change twice, or null: put twice, or put and deleted, in whatever order. The branches of
 * one nested transaction exclude each other; two nested transactions do not.
 */
export function duplicateKey(operations: readonly Operation[]): string | null {
  // As most are.
  if (operations.length < 2 && operations[0]?.kind !== 'txn') return null;
  const found = partOf(operations);
  return typeof found === 'string' ? found : null;
}

function partOf(operations: readonly Operation[]): Part | string {
  const puts = new Set<string>();
  const deleted: KeyRange[] = [];
  const nested: Part[] = [];
  for (const operation of operations) {
    if (operation.kind === 'put') {
      if (puts.has(operation.key)) return operation.key;
      puts.add(operation.key);
    } else if (operation.kind === 'delete') deleted.push(operation);
    else if (operation.kind === 'txn') {
      const part = eitherOf(partOf(operation.success), partOf(operation.failure));
      if (typeof part === 'string') return part;
      nested.push(part);
    }
  }
  const parts = [{ puts, deleted: [] }, { puts: new Set<string>(), deleted }, ...nested];
  return conflict(parts) ?? union(parts);
}

function eitherOf(success: Part | string, failure: Part | string): Part | string {
  if (typeof success === 'string') return success;
  return typeof failure === 'string' ? failure : union([success, failure]);
}

function union(parts: readonly Part[]): Part {
  const all = parts.filter(({ puts, deleted }) => puts.size > 0 || deleted.length > 0);
  if (all.length === 1) return all[0] as Part;
  return {
    puts: new Set(all.flatMap(({ puts }) => [...puts])),
    deleted: all.flatMap(({ deleted }) => deleted),
  };
}

/** A key that one part puts and another puts or deletes. */
function conflict(parts: readonly Part[]): string | null {
  const seen = new Set<string>();
  const deletions = parts.flatMap((part) =>
    part.deleted.length > 0 ? [{ part, keys: new KeySet(part.deleted) }] : [],
  );
  for (const part of parts) {
    for (const key of part.puts) {
      if (seen.has(key)) return key;
      seen.add(key);
      if (deletions.some((deletion) => deletion.part !== part && deletion.keys.has(key))) return key;
    }
  }
  return null;
}
