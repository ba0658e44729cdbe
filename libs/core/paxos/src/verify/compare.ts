/**
 * Where replicas that follow one ballot differ (docs/PROTOCOL.md 4.13). Pure. Each was read at a position of its own at that
 * ballot, and within a ballot there is one history: so a row that was written up to the least of these positions, and not
 * since, is the same at all of them.
 */
import { compareKeys, type Revision, type ShardOrdinal } from '@ringleader/primitives';
import { VERIFY_RULES, type VerifyRules } from '../rules/verify-rules.js';
import type { RowDigest } from '../storage.js';

export interface RangeView {
  readonly ordinal: ShardOrdinal;
  /** Of the position at which it was read. */
  readonly revision: Revision;
  readonly purgedTo: Revision;
  readonly digests: readonly RowDigest[];
}

/** The digest of a row, or null where there is none. */
export type Found = string | null;

export interface Difference {
  readonly key: string;
  /** What most replicas have, and who; null where no majority agrees. */
  readonly right: { readonly found: Found; readonly holders: readonly ShardOrdinal[] } | null;
  readonly wrong: readonly { readonly ordinal: ShardOrdinal; readonly found: Found }[];
}

/** `replicas`: how many the partition has, of which some may not have been read. */
export function differencesOf(
  views: readonly RangeView[],
  replicas: number,
  rules: VerifyRules = VERIFY_RULES,
): Difference[] {
  const least = Math.min(...views.map(({ revision }) => revision));
  const purged = Math.max(...views.map(({ purgedTo }) => purgedTo));
  const tables = views.map(({ digests }) => new Map(digests.map((row) => [row.key, row])));
  const keys = new Set(tables.flatMap((table) => [...table.keys()]));
  const differences: Difference[] = [];
  for (const key of [...keys].sort(compareKeys)) {
    const cells = tables.map((table) => table.get(key) ?? null);
    const hasChanged = cells.some(
      (row, index) => row !== null && rules.writtenSince(row.revision, least, views[index]!.revision),
    );
    const mayBePurged = cells.includes(null) && rules.mayBePurged(purged, least);
    if (hasChanged || mayBePurged) continue;
    const isNone = (row: RowDigest | null): boolean =>
      row === null || (!row.live && rules.isPurgeable(row.revision, purged));
    const difference = differenceOf(key, { views, cells, isNone }, replicas);
    if (difference !== null) differences.push(difference);
  }
  return differences;
}

interface Column {
  readonly views: readonly RangeView[];
  readonly cells: readonly (RowDigest | null)[];
  readonly isNone: (row: RowDigest | null) => boolean;
}

function differenceOf(key: string, { views, cells, isNone }: Column, replicas: number): Difference | null {
  const holdersOf = new Map<Found, ShardOrdinal[]>();
  cells.forEach((row, index) => {
    const found = row === null || isNone(row) ? null : row.digest;
    const holders = holdersOf.get(found) ?? [];
    holders.push(views[index]!.ordinal);
    holdersOf.set(found, holders);
  });
  if (holdersOf.size === 1) return null;
  const most = [...holdersOf].find(([, holders]) => holders.length > replicas / 2);
  const wrong = views
    .map(({ ordinal }, index) => ({ ordinal, found: cells[index]?.digest ?? null }))
    .filter(({ ordinal }) => most === undefined || !most[1].includes(ordinal));
  return { key, right: most === undefined ? null : { found: most[0], holders: most[1] }, wrong };
}
