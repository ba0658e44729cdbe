/* eslint-disable no-restricted-globals -- no I/O: only a Buffer makes strings of bytes, and bytes of strings, in one step */
// eslint-disable-next-line no-restricted-imports -- no I/O: the check of each value that is written costs 50 ns in place of 5 µs
export { isUtf8 } from 'node:buffer';

/**
 * Bytes as a string with a character for each. A heap with millions of byte arrays is slow: each has two objects and memory
 * of its own outside, whose growth makes the collector look at all of them again and again. A string is one object, has
 * nothing that the collector must follow, is compared by `<` and never changes.
 */
export function packBytes(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1');
}

export function unpackBytes(packed: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(packed, 'latin1');
  return new Uint8Array(buffer, byteOffset, length);
}
