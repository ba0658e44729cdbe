/** Small things about a key and its value: how they are kept, how large they are, what a deletion looks like. */
import { unpackBytes } from '@ringleader/primitives';
import type { KeyValue, StoreRevision } from './commands.js';

/** A state of a key as it is kept, in great numbers: with its value packed. Version 0 is a deletion. */
export interface State extends Omit<KeyValue, 'value'> {
  readonly packed: string;
}

/**
 * What a state costs in memory beside its key and its value, as measured, so that the size of the store is about what it
 * takes of the heap, whether its values are large or small.
 */
const STATE_OVERHEAD_BYTES = 256;

export const NO_VALUE = new Uint8Array(0);

export const isLive = (state: State | undefined): state is State => state !== undefined && state.version > 0;

/** The state of a key that does not exist any more: nothing but the revision that deleted it. */
export function tombstone(key: string, revision: StoreRevision): State {
  return { key, packed: '', createRevision: 0, modRevision: revision, version: 0, lease: 0 };
}

/** As readers get it. */
export function toKeyValue({ key, packed, createRevision, modRevision, version, lease }: State): KeyValue {
  const value = packed === '' ? NO_VALUE : unpackBytes(packed);
  return { key, value, createRevision, modRevision, version, lease };
}

/** What else there is of a key in an answer: without it a hundred thousand short keys would fit. */
const ITEM_OVERHEAD_BYTES = 64;

/** What answers are bounded by. */
export const itemSize = ({ key, value }: Pick<KeyValue, 'key'> & { value: { length: number } }): number =>
  utf8Length(key) + value.length + ITEM_OVERHEAD_BYTES;

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
