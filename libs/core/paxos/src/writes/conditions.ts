import type { Row } from '../records.js';
import type { Condition } from '../requests.js';

/** A tombstone is as absent as no row. */
export function isLive(row: Row | null): row is Row {
  return row !== null && row.value !== null;
}

/** 4.7.1: do all conditions hold on this row? */
export function conditionsHold(row: Row | null, conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => holds(row, condition));
}

function holds(row: Row | null, condition: Condition): boolean {
  const live = isLive(row);
  switch (condition.kind) {
    case 'ifAbsent':
      return !live;
    case 'ifPresent':
      return live;
    case 'ifRevision':
      return (live ? row.revision : 0) === condition.revision;
    case 'ifVersion':
      return (live ? row.version : 0) === condition.version;
  }
}
