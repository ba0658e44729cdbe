/** The cluster's metadata as the coordinator itself reads and writes it: JSON below /ringleader/, in its own store. */
import { OperationalError } from '@ringleader/contracts';
import { parseMetadata } from '@ringleader/coordination';
import { type Compare, type KeyRange, type MvccStore, type PutOperation, plainRead } from '@ringleader/mvcc';
import { invariant } from '@ringleader/primitives';
import type { z } from 'zod';
import { toBytes, toWireItem } from './wire.js';

export interface MetadataItem<Value> {
  readonly value: Value;
  readonly modRevision: number;
}

/** As this member has applied it. */
export function readMetadata<Schema extends z.ZodType>(
  store: MvccStore,
  range: KeyRange,
  schema: Schema,
): MetadataItem<z.infer<Schema>>[] {
  const outcome = store.range({ ...plainRead, ...range });
  invariant(outcome.kind === 'range', 'the present is never compacted');
  return outcome.items.map((item) => {
    return { value: parseMetadata(schema, toWireItem(item)), modRevision: item.modRevision };
  });
}

/**
 * As above, without what does not fit, as what a newer version or the hand of a member has written: it is to hide nothing of
 * the rest. Gateways, which follow the same keys, tell of it.
 */
export function readReadable<Schema extends z.ZodType>(
  store: MvccStore,
  range: KeyRange,
  schema: Schema,
): MetadataItem<z.infer<Schema>>[] {
  const outcome = store.range({ ...plainRead, ...range });
  invariant(outcome.kind === 'range', 'the present is never compacted');
  return outcome.items.flatMap((item) => {
    try {
      return [{ value: parseMetadata(schema, toWireItem(item)), modRevision: item.modRevision }];
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return [];
    }
  });
}

/** Also of what cannot be read. */
export function keysOf(store: MvccStore, range: KeyRange): string[] {
  const outcome = store.range({ ...plainRead, ...range });
  invariant(outcome.kind === 'range', 'the present is never compacted');
  return outcome.items.map(({ key }) => key);
}

/** Of keys, whether what they have can be read or not. */
export function countMetadata(store: MvccStore, range: KeyRange): number {
  const outcome = store.range({ ...plainRead, ...range, countOnly: true });
  invariant(outcome.kind === 'range', 'the present is never compacted');
  return outcome.count;
}

export function hasMetadata(store: MvccStore, range: KeyRange): boolean {
  return countMetadata(store, range) > 0;
}

export function putMetadata(key: string, value: object): PutOperation {
  return { kind: 'put', key, value: toBytes(JSON.stringify(value)), lease: 0, wantsPrevious: false };
}

/** There is no such key. */
export function isAbsent(key: string): Compare {
  return { key, rangeEnd: null, target: 'version', result: 'equal', operand: 0 };
}

/** What the key has now, be it that it can be read or not, or nothing, is what it still has then. */
export function isUnchanged(store: MvccStore, key: string): Compare {
  const outcome = store.range({ ...plainRead, key, rangeEnd: null });
  invariant(outcome.kind === 'range', 'the present is never compacted');
  const [item] = outcome.items;
  if (item === undefined) return isAbsent(key);
  return { key, rangeEnd: null, target: 'modRevision', result: 'equal', operand: item.modRevision };
}
