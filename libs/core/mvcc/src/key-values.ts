/** Small things about a key and its value: how large they are, how values are ordered, what a deletion looks like. */
import type { KeyValue, StoreRevision } from './commands.js';

/** What a state costs beside its key and its value, roughly: in memory more, in a snapshot less. */
const STATE_OVERHEAD_BYTES = 64;

export const NO_VALUE = new Uint8Array(0);

export const isLive = (state: KeyValue | undefined): state is KeyValue =>
  state !== undefined && state.version > 0;

/** The state of a key that does not exist any more: version 0, and nothing but the revision that deleted it. */
export function tombstone(key: string, revision: StoreRevision): KeyValue {
  return { key, value: NO_VALUE, createRevision: 0, modRevision: revision, version: 0, lease: 0 };
}

/** Of key and value, in bytes: what answers are bounded by. */
export const itemSize = ({ key, value }: KeyValue): number => utf8Length(key) + value.length;

/** What a state adds to the size of the store. */
export function stateSize(key: string, valueLength: number): number {
  return utf8Length(key) + valueLength + STATE_OVERHEAD_BYTES;
}

export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // Two bytes below U+0800; three above; four for a pair of surrogates, which are two units.
    length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return length;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
