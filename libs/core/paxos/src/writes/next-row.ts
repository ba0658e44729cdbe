import type { HybridTime, Revision } from '@ringleader/primitives';
import type { RequestMark, Row } from '../records.js';
import { PackedMarks } from '../request-marks.js';
import type { WriteRequest } from '../requests.js';
import { isLive } from './conditions.js';

export interface NextRow {
  readonly revision: Revision;
  readonly at: HybridTime;
  /** Of a put. */
  readonly value: Uint8Array | null;
  /** What the key remembers where it has no row: the partition's dedupe floor (4.7.3). */
  readonly dedupeFloor: HybridTime;
  readonly marksMax: number;
}

/** The row that a write leaves: a new version, or a tombstone. */
export function nextRow(present: Row | null, request: WriteRequest, next: NextRow): Row {
  const { operation } = request;
  const live = isLive(present);
  const version = operation.kind === 'delete' ? 0 : live ? present.version + 1 : 1;
  const mark = { id: request.requestId, origin: request.origin, revision: next.revision, version };
  return {
    key: operation.key,
    value: next.value,
    contentType: operation.kind === 'delete' ? '' : operation.contentType,
    revision: next.revision,
    version,
    createdAt: live ? present.createdAt : next.at,
    modifiedAt: next.at,
    expiresAt: operation.kind === 'delete' ? null : operation.expiresAt,
    ...remember(present, mark, next),
  };
}

/** 4.6.3: expiry is a write of the leader; it answers to no request, and forgets none. */
export function expiredRow(present: Row, next: Pick<NextRow, 'revision' | 'at'>): Row {
  return {
    ...present,
    value: null,
    contentType: '',
    revision: next.revision,
    version: 0,
    modifiedAt: next.at,
    expiresAt: null,
  };
}

/** 4.7.3: the last writes of the key; what falls off raises the floor to its origin. */
function remember(
  present: Row | null,
  mark: RequestMark,
  { dedupeFloor, marksMax }: NextRow,
): Pick<Row, 'requests' | 'requestFloor'> {
  const { marks, forgotten } = PackedMarks.of(present?.requests ?? PackedMarks.none).with(mark, marksMax);
  return { requests: marks, requestFloor: Math.max(present?.requestFloor ?? dedupeFloor, forgotten) };
}
