/**
 * What becomes of the store of a snapshot when a new group begins with it. More may have happened after the snapshot than
 * it knows: whatever was given out then must not be given again. So revisions leap over all that can have been, and whoever
 * watched is told that history is missing (COMPACTED); ids of leases leap by as much, ordinals of shards by enough.
 */
import {
  CLUSTER_KEY,
  CORRUPT_PREFIX,
  PARTITIONS_PREFIX,
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_LIMITS_DEFAULT,
  RESTORED_REVISION_LEAP,
  SHARD_ORDINALS_KEY,
  VERDICTS_PREFIX,
  clusterSchema,
  placementControlSchema,
  prefixRange,
} from '@ringleader/contracts';
import type { MvccStore, Operation } from '@ringleader/mvcc';
import { plainRead } from '@ringleader/mvcc';

const ORDINAL_LEAP = 100;
const ORDINAL_MAX = 65_535;

export type RestoreOutcome =
  | { readonly kind: 'restored'; readonly clusterId: string; readonly revision: number }
  /** It was taken before the cluster had its first partition map, which a new group would make anew. */
  | { readonly kind: 'withoutMap' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Changes the store. `clusterId` is that of the cluster from now on. */
export function beginAnew(
  store: MvccStore,
  { clusterId, mayLackMap }: { readonly clusterId: string; readonly mayLackMap: boolean },
): RestoreOutcome {
  if (countOf(store, PARTITIONS_PREFIX) === 0 && !mayLackMap) return { kind: 'withoutMap' };
  store.jumpTo(store.revision + RESTORED_REVISION_LEAP);
  const success: Operation[] = [
    { kind: 'delete', ...prefixRange(CORRUPT_PREFIX), wantsPrevious: false },
    // Who was down then may have come back since.
    { kind: 'delete', ...prefixRange(VERDICTS_PREFIX), wantsPrevious: false },
    ...pausing(store),
    ...changed(store, CLUSTER_KEY, (text) =>
      JSON.stringify({ ...clusterSchema.parse(JSON.parse(text)), clusterId }),
    ),
    ...changed(store, SHARD_ORDINALS_KEY, (text) =>
      String(Math.min(ORDINAL_MAX, Number(text) + ORDINAL_LEAP)),
    ),
  ];
  const result = store.apply({ kind: 'txn', compare: [], success, failure: [] }, 1);
  if (result.kind === 'rejected') return { kind: 'refused', reason: result.rejection.reason };
  return { kind: 'restored', clusterId, revision: store.revision };
}

/**
 * Partitions may have moved after the snapshot: then its map is not that of the shards, and a change of it would give epochs
 * out a second time. A person says that none has.
 */
function pausing(store: MvccStore): Operation[] {
  if (countOf(store, PARTITIONS_PREFIX) === 0) return [];
  const text = read(store, PLACEMENT_CONTROL_KEY);
  const { epoch, limits } =
    text === null
      ? { epoch: 0, limits: PLACEMENT_LIMITS_DEFAULT }
      : placementControlSchema.parse(JSON.parse(text));
  return [putText(PLACEMENT_CONTROL_KEY, JSON.stringify({ epoch: epoch + 1, paused: true, limits }))];
}

function changed(store: MvccStore, key: string, change: (text: string) => string): Operation[] {
  const text = read(store, key);
  return text === null ? [] : [putText(key, change(text))];
}

function read(store: MvccStore, key: string): string | null {
  const outcome = store.range({ ...plainRead, key, rangeEnd: null });
  const [item] = outcome.kind === 'range' ? outcome.items : [];
  return item === undefined ? null : Buffer.from(item.value).toString();
}

function putText(key: string, text: string): Operation {
  return { kind: 'put', key, value: new Uint8Array(Buffer.from(text)), lease: 0, wantsPrevious: false };
}

export function countOf(store: MvccStore, prefix: string): number {
  const range = prefix === '' ? { key: '', rangeEnd: '' } : prefixRange(prefix);
  const outcome = store.range({ ...plainRead, ...range, countOnly: true });
  return outcome.kind === 'range' ? outcome.count : 0;
}
