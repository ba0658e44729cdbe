import type { Ballot, ShardOrdinal } from '@ringleader/primitives';
import type { Position } from './records.js';

/** A ballot is round x 65536 + ordinal (docs/PROTOCOL.md 4.0), so that no two shards ever share one. */
const ORDINALS = 65_536;
export const ORDINAL_MAX = ORDINALS - 1;

export function makeBallot(round: number, ordinal: ShardOrdinal): Ballot {
  return round * ORDINALS + ordinal;
}

export function roundOf(ballot: Ballot): number {
  return Math.floor(ballot / ORDINALS);
}

/** The shard which led, or stood, at this ballot; 0 for the ballot 0. */
export function ownerOf(ballot: Ballot): ShardOrdinal {
  return ballot % ORDINALS;
}

/** By ballot, then revision: a history of a higher ballot has seen more, however short it is (4.0). */
export function comparePositions(a: Position, b: Position): number {
  return a.ballot === b.ballot ? a.revision - b.revision : a.ballot - b.ballot;
}

export function samePosition(a: Position, b: Position): boolean {
  return a.ballot === b.ballot && a.revision === b.revision;
}
