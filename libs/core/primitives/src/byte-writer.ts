/* eslint-disable no-restricted-globals -- no I/O: only a Buffer reads and writes UTF-8 in place, at several times the speed of TextDecoder and TextEncoder */
/**
 * Writes frames in one pass, without knowing their size beforehand. Numbers that are mostly small are varints (7 bits a
 * byte, least significant first), instants take eight bytes, strings two bytes of length and their UTF-8, texts a varint and theirs.
 * Every value has exactly one form, so that equal states are equal bytes.
 * Broken values (negative, fractional, longer than their length field) are bugs of the caller, so they throw.
 */
import { invariant } from './invariant.js';

const CHUNK_BYTES = 64 * 1024;
/** Below this many bytes a rest of a chunk is not worth keeping for the next frame. */
const REST_BYTES_MIN = 4 * 1024;
/** Up to this length a loop over char codes beats the call into the runtime. */
const ASCII_LOOP_LENGTH_MAX = 40;
const STRING_BYTES_MAX = 0xffff;
/** Longer byte strings are referred to in place of copied, where the writer is told to. */
const REFERRED_BYTES_MIN = 4 * 1024;

export class ByteWriter {
  private buffer: Buffer;
  private view: DataView;
  /** Where the present frame begins in `buffer`; what lies before belongs to frames that were handed out. */
  private start = 0;
  private offset = 0;
  /** Of a writer that refers: what lies before `start` of the present frame, in order. */
  private parts: Uint8Array[] | null = null;

  constructor(memory: number | Buffer = CHUNK_BYTES) {
    this.buffer = typeof memory === 'number' ? Buffer.allocUnsafeSlow(memory) : memory;
    this.view = viewOf(this.buffer);
  }

  /** Long byte strings are not copied: for frames that are taken in parts. They must not change any more. */
  static referring(initialBytes: number): ByteWriter {
    const writer = new ByteWriter(initialBytes);
    writer.parts = [];
    return writer;
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.offset - this.start;
  }

  uint8(value: number): this {
    this.reserve(1);
    this.buffer[this.offset++] = value;
    return this;
  }

  boolean(value: boolean): this {
    return this.uint8(value ? 1 : 0);
  }

  /** A non-negative integer below 2^53. */
  varint(value: number): this {
    invariant(value >= 0 && value <= Number.MAX_SAFE_INTEGER, 'a varint is a non-negative safe integer');
    this.reserve(8);
    const buffer = this.buffer;
    let offset = this.offset;
    let rest = value;
    while (rest >= 0x8000_0000) {
      buffer[offset++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      buffer[offset++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[offset++] = rest;
    this.offset = offset;
    return this;
  }

  /** An instant, or another number that is rarely small: eight bytes. */
  float64(value: number): this {
    this.reserve(8);
    this.view.setFloat64(this.offset, value, true);
    this.offset += 8;
    return this;
  }

  /** Four bytes, whatever the value: for what is read by itself, or has stood on disks so. */
  uint32(value: number): this {
    this.reserve(4);
    this.view.setUint32(this.offset, value, true);
    this.offset += 4;
    return this;
  }

  /** A non-negative integer below 2^53 in eight bytes, for the same. */
  uint64(value: number): this {
    return this.uint32(value % 0x1_0000_0000).uint32(Math.floor(value / 0x1_0000_0000));
  }

  /** Bytes after a `uint32` of their length. */
  bytes32(value: Uint8Array): this {
    this.uint32(value.length).raw(value);
    return this;
  }

  /** At most 65,535 bytes of UTF-8. */
  string(value: string): this {
    // UTF-8 needs at most three bytes for a UTF-16 unit, so the length can be patched in afterwards: one pass.
    this.reserve(2 + value.length * 3);
    const at = this.offset + 2;
    const written = value.length <= ASCII_LOOP_LENGTH_MAX ? this.ascii(value, at) : -1;
    const bytes = written >= 0 ? written : this.buffer.write(value, at, 'utf8');
    invariant(bytes <= STRING_BYTES_MAX, 'a string of a frame has at most 65,535 bytes');
    this.buffer[this.offset] = bytes & 0xff;
    this.buffer[this.offset + 1] = bytes >>> 8;
    this.offset = at + bytes;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.varint(value.length);
    this.raw(value);
    return this;
  }

  /** The same of a string that has a character for each byte (`packBytes`). */
  packedBytes(value: string): this {
    return this.varint(value.length).packed(value);
  }

  /** The bytes of such a string as they are, without their length. */
  packed(value: string): this {
    this.reserve(value.length);
    this.buffer.write(value, this.offset, 'latin1');
    this.offset += value.length;
    return this;
  }

  /** Of any length. */
  text(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    this.reserve(bytes);
    this.buffer.write(value, this.offset, 'utf8');
    this.offset += bytes;
    return this;
  }

  /** What was written since the last call, in memory of its own: for what is kept. */
  copy(): Uint8Array {
    const copied = new Uint8Array(this.buffer.subarray(this.start, this.offset));
    this.offset = this.start;
    return copied;
  }

  /** The same as a string with a character for each byte (`packBytes`), without the first `skipped` of them. */
  takePacked(skipped = 0): string {
    const packed = this.buffer.toString('latin1', this.start + skipped, this.offset);
    this.offset = this.start;
    return packed;
  }

  /** What was written by another writer, as it is. */
  raw(written: Uint8Array): void {
    if (this.parts !== null && written.length >= REFERRED_BYTES_MIN) {
      this.parts.push(this.take(), written);
      return;
    }
    this.reserve(written.length);
    this.buffer.set(written, this.offset);
    this.offset += written.length;
  }

  /** What was written since the last call. The bytes are the caller's: they are never written to again. */
  take(): Buffer {
    const taken = this.buffer.subarray(this.start, this.offset);
    this.start = this.offset;
    if (this.buffer.length - this.offset < REST_BYTES_MIN) this.replaceBuffer(CHUNK_BYTES);
    return taken;
  }

  /** The same of a writer that refers. */
  takeParts(): readonly Uint8Array[] {
    invariant(this.parts !== null, 'a writer has parts where it refers');
    const taken = [...this.parts, this.take()];
    this.parts = [];
    return taken;
  }

  /** Forgets what was written after `length` bytes of the present frame. */
  truncate(length: number): void {
    invariant(length <= this.length, 'a writer is truncated to a length that it has');
    this.offset = this.start + length;
  }

  private ascii(value: string, at: number): number {
    const buffer = this.buffer;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return -1;
      buffer[at + i] = code;
    }
    return value.length;
  }

  private reserve(bytes: number): void {
    if (this.offset + bytes <= this.buffer.length) return;
    const needed = this.length + bytes;
    this.replaceBuffer(Math.max(CHUNK_BYTES, needed * 2));
  }

  /** Moves the present frame into a new buffer. */
  private replaceBuffer(capacity: number): void {
    const next = Buffer.allocUnsafeSlow(capacity);
    const length = this.length;
    this.buffer.copy(next, 0, this.start, this.offset);
    this.buffer = next;
    this.view = viewOf(next);
    this.start = 0;
    this.offset = length;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
