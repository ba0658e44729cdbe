/** Rows as clients see them. */
import { isUtf8 } from 'node:buffer';
import type { Item } from '@ringleader/contracts';
import { unpackHybridTime } from '@ringleader/hybrid-clock';
import type { Row } from '@ringleader/paxos';
import type { HybridTime, Revision } from '@ringleader/primitives';

export function instantMs(time: HybridTime): number {
  return unpackHybridTime(time).wallMs;
}

/** RFC 3339, UTC. */
export function instant(time: HybridTime): string {
  return new Date(instantMs(time)).toISOString();
}

export function entityTag(revision: Revision): string {
  return `"${revision}"`;
}

/** UTF-8 text as it is, anything else as base64. */
export function valueFields(value: Uint8Array): { value: string } | { valueBase64: string } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? { value: bytes.toString() } : { valueBase64: bytes.toString('base64') };
}

export function itemOf(row: Row, keysOnly: boolean): Item {
  const { key, revision, version } = row;
  const times = { createdAt: instant(row.createdAt), modifiedAt: instant(row.modifiedAt) };
  if (keysOnly) return { key, revision, version, ...times };
  return {
    key,
    revision,
    version,
    ...valueFields(row.value ?? Buffer.alloc(0)),
    contentType: row.contentType,
    ...times,
  };
}
