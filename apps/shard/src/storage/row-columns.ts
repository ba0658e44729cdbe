/** The columns of a row as statements name them, and how their text becomes a row. */
import { decodeFrame, OperationalError, requestMarksCodec } from '@ringleader/contracts';
import { PackedMarks, type RequestMarks, type Row } from '@ringleader/paxos';
import type { TextRow } from '@ringleader/postgres';

const EMPTY = new Uint8Array(0);
/** Two hexadecimal digits for the byte 0: an empty list. */
const NO_REQUESTS_HEX = '\\x00';
const CONTENT_TYPES_CACHED_MAX = 256;
const contentTypesByHex = new Map<string, string>();

/** What follows key and value. */
export const ROW_METADATA =
  'content_type, revision, version, created_at, modified_at, expires_at, requests, request_floor';

/** `first` is the place of the key among the columns of the result. */
export function rowFromText(columns: TextRow, first: number): Row {
  return {
    key: keyFromHex(columns[first]!),
    value: bytesFromHex(columns[first + 1]!),
    contentType: contentTypeFromHex(columns[first + 2]!),
    revision: Number(columns[first + 3]),
    version: Number(columns[first + 4]),
    createdAt: Number(columns[first + 5]),
    modifiedAt: Number(columns[first + 6]),
    expiresAt: columns[first + 7] === null ? null : Number(columns[first + 7]),
    requests: requestsFromHex(columns[first + 8]!),
    requestFloor: Number(columns[first + 9]),
  };
}

export function keyFromHex(hex: string): string {
  return Buffer.from(hex.slice(2), 'hex').toString('utf8');
}

/** PostgreSQL prints bytea as `\x` and hexadecimal digits. */
export function bytesFromHex(hex: string | null): Uint8Array | null {
  if (hex === null) return null;
  return hex.length === 2 ? EMPTY : Buffer.from(hex.slice(2), 'hex');
}

function contentTypeFromHex(hex: string): string {
  const known = contentTypesByHex.get(hex);
  if (known !== undefined) return known;
  const contentType = keyFromHex(hex);
  if (contentTypesByHex.size < CONTENT_TYPES_CACHED_MAX) contentTypesByHex.set(hex, contentType);
  return contentType;
}

function requestsFromHex(hex: string): RequestMarks {
  if (hex === NO_REQUESTS_HEX) return PackedMarks.none;
  const marks = decodeFrame(Buffer.from(hex.slice(2), 'hex'), requestMarksCodec.read);
  if ('kind' in marks) {
    throw new OperationalError('STORAGE_FAILED', `The requests of a row cannot be read: ${marks.reason}`, {
      reason: 'corrupt',
    });
  }
  return marks;
}
