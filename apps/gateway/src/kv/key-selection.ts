/** Which keys a list is about, and where it stands: prefix, start and end become one range, the cursor narrows it. */
import { OperationalError, keyAfter, prefixRange } from '@ringleader/contracts';
import { xxh64 } from '@ringleader/hash-ring';
import type { KeyRange } from '@ringleader/paxos';
import { compareKeys, leastEnd } from '@ringleader/primitives';

export interface KeySelection {
  readonly prefix: string;
  readonly start: string;
  readonly end: string | null;
  readonly reverse: boolean;
}

/** Null where no key can be in the range. */
export function selectionRange(selection: KeySelection): KeyRange | null {
  const { key: prefixStart, rangeEnd } = prefixRange(selection.prefix);
  const prefixEnd = rangeEnd === '' ? null : rangeEnd;
  const start = compareKeys(selection.start, prefixStart) > 0 ? selection.start : prefixStart;
  const end = leastEnd(selection.end, prefixEnd);
  return end !== null && compareKeys(start, end) >= 0 ? null : { start, end };
}

/** What is left of a range behind `last`, in the direction of the list. */
export function rangeBehind(range: KeyRange, last: string, reverse: boolean): KeyRange {
  return reverse ? { start: range.start, end: last } : { start: keyAfter(last), end: range.end };
}

/**
 * A cursor is the last key that was given, with the selection that it belongs to: it means the same whatever is written
 * or moved in between, so no key that exists throughout is skipped or given twice. Opaque to clients.
 */
export function encodeCursor(selection: KeySelection, last: string): string {
  return Buffer.from(JSON.stringify([1, last, fingerprint(selection)])).toString('base64url');
}

export function decodeCursor(selection: KeySelection, cursor: string): string {
  const [version, last, made] = parseCursor(cursor);
  if (version !== 1 || typeof last !== 'string' || typeof made !== 'string') throw invalidCursor();
  if (made !== fingerprint(selection)) {
    throw new OperationalError(
      'INVALID_ARGUMENT',
      'The cursor belongs to a list with another prefix, start, end or reverse: repeat those with it',
      { parameter: 'cursor' },
    );
  }
  return last;
}

function parseCursor(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch (cause) {
    throw invalidCursor(cause);
  }
}

function fingerprint({ prefix, start, end, reverse }: KeySelection): string {
  return xxh64(JSON.stringify([prefix, start, end, reverse])).toString(36);
}

function invalidCursor(cause?: unknown): OperationalError {
  return new OperationalError(
    'INVALID_ARGUMENT',
    'The cursor is not one that a list has given',
    { parameter: 'cursor' },
    { cause },
  );
}
