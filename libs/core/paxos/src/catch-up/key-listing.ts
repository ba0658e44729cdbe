/**
 * The keys that a replica has past a base (docs/PROTOCOL.md 4.3.8): from memory where it reaches back far enough, else by
 * one pass over the generation.
 */
import type { Revision } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { CatchUp } from '../partition/catch-up.js';
import type { Replica } from '../partition/replica.js';
import type { Position } from '../records.js';

export type ListingPort = Port<'now' | 'limits' | 'reads'>;

export interface KeyListing {
  /** For which they are listed: as soon as it is given up, nobody waits for them. */
  readonly session: CatchUp;
  readonly base: Revision;
  readonly generation: number;
  /** First key to list. */
  readonly start: string;
}

export interface ListedKeys {
  readonly keys: readonly string[];
  /** Where the next part begins; null when these are all. */
  readonly end: string | null;
  /** The position whose rows were listed. */
  readonly position: Position;
}

/** Lists live keys; the answer may come at once. */
export function listLiveKeys(
  context: ListingPort,
  replica: Replica,
  { session, base }: Pick<KeyListing, 'session' | 'base'>,
  done: (listed: ListedKeys) => void,
): void {
  const remembered = replica.recent.past(base);
  const { position, generation } = replica.record;
  if (remembered !== null) done({ keys: remembered, end: null, position });
  else if (position.revision <= base) done({ keys: [], end: null, position });
  else listStoredKeys(context, replica, { session, base, generation, start: '' }, done);
}

export function listStoredKeys(
  context: ListingPort,
  replica: Replica,
  { session, ...listing }: KeyListing,
  done: (listed: ListedKeys) => void,
): void {
  const { repairRowsMax, repairBytesMax } = context.limits;
  let { position } = replica.handedOut;
  session.isListing = true;
  context.reads.page(
    () => {
      if (replica.catchUp !== session) return null;
      ({ position } = replica.handedOut);
      return {
        kind: 'page',
        partition: replica.partition,
        ...listing,
        keysOnly: true,
        limitRows: repairRowsMax,
        limitBytes: repairBytesMax,
      };
    },
    (result) => {
      session.isListing = false;
      session.progressedAt = context.now;
      done({ keys: result.rows.map((row) => row.key), end: result.nextKey, position });
    },
  );
}
