/**
 * A number per row, added up over all rows of a replica: equal sums stand for equal rows, whatever their order.
 * Rows are shared between the nodes of a simulation and never change, so each is hashed once.
 */
import type { Row } from '@ringleader/paxos';

const known = new WeakMap<Row, number>();

export function fingerprintOf(row: Row): number {
  let value = known.get(row);
  if (value === undefined) {
    value = hash(describeRow(row));
    known.set(row, value);
  }
  return value;
}

export function describeRow(row: Row): string {
  const value = row.value === null ? 'deleted' : Buffer.from(row.value).toString('latin1');
  const marks = [...row.requests]
    .map((mark) => `${mark.id}@${String(mark.revision)}v${String(mark.version)}`)
    .join(' ');
  const numbers = [row.revision, row.version, row.createdAt, row.modifiedAt, row.expiresAt, row.requestFloor];
  return `${row.key}=${value} ${numbers.join(' ')} [${marks}]`;
}

/** FNV-1a with a finishing mix; below 2^32, so that sums over any simulated partition are exact. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  state = Math.imul(state ^ (state >>> 12), 0x297a2d39);
  return (state ^ (state >>> 15)) >>> 0;
}
