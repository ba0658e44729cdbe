/* eslint-disable no-restricted-globals -- no I/O: only a Buffer reads and writes UTF-8 in place, at several times the speed of TextDecoder and TextEncoder */
/**
 * Reads what `ByteWriter` wrote. Bytes come from outside the process, so every read is checked against the end and
 * against the range of its type. A failed check throws `MalformedBytesError`, which whoever decodes a whole frame turns into
 * a value where the bytes are not this process's own.
 */
export class MalformedBytesError extends Error {
  override readonly name = 'MalformedBytesError';
}

/** Keeps a byte order mark: it is part of the text. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The greatest number of bytes of a varint below 2^53. */
const VARINT_BYTES_MAX = 8;

export class ByteReader {
  private readonly buffer: Buffer;
  private lazyView: DataView | null = null;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.offset === this.buffer.length;
  }

  /** How many bytes were read. */
  get position(): number {
    return this.offset;
  }

  /** What was read since that position, as a string with a character for each byte (`packBytes`). */
  packedSince(position: number): string {
    return this.buffer.toString('latin1', position, this.offset);
  }

  /** Reads a string without making it: does it begin with that text of ASCII characters? */
  skipString(prefix: string): boolean {
    this.require(2);
    const length = this.buffer[this.offset]! + this.buffer[this.offset + 1]! * 256;
    const start = this.offset + 2;
    this.offset = start;
    this.require(length);
    this.offset = start + length;
    if (length < prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) if (this.buffer[start + i] !== prefix.charCodeAt(i)) return false;
    return true;
  }

  uint8(): number {
    const value = this.buffer[this.offset++];
    if (value === undefined) throw new MalformedBytesError('truncated');
    return value;
  }

  boolean(): boolean {
    const value = this.uint8();
    if (value > 1) throw new MalformedBytesError('a boolean is 0 or 1');
    return value === 1;
  }

  varint(): number {
    const first = this.uint8();
    return first < 0x80 ? first : this.longVarint(first);
  }

  /** A finite number. */
  float64(): number {
    this.require(8);
    const value = this.view.getFloat64(this.offset, true);
    this.offset += 8;
    if (!Number.isFinite(value)) throw new MalformedBytesError('a number is finite');
    return value;
  }

  /** A hybrid time: a non-negative integer below 2^53. */
  instant(): number {
    const value = this.float64();
    if (!Number.isSafeInteger(value) || value < 0) throw new MalformedBytesError('an instant is an integer');
    return value;
  }

  uint32(): number {
    this.require(4);
    const value = this.view.getUint32(this.offset, true);
    this.offset += 4;
    return value;
  }

  uint64(): number {
    const value = this.uint32() + this.uint32() * 0x1_0000_0000;
    if (!Number.isSafeInteger(value)) throw new MalformedBytesError('an integer is below 2^53');
    return value;
  }

  /** A view of the frame, not a copy. */
  bytes32(): Uint8Array {
    const length = this.uint32();
    this.require(length);
    const start = this.offset;
    this.offset = start + length;
    return this.buffer.subarray(start, this.offset);
  }

  string(): string {
    this.require(2);
    const length = this.buffer[this.offset]! + this.buffer[this.offset + 1]! * 256;
    const start = this.offset + 2;
    const end = start + length;
    if (end > this.buffer.length) throw new MalformedBytesError('truncated string');
    this.offset = end;
    return this.buffer.toString('utf8', start, end);
  }

  /** A text of any length, which must be UTF-8. */
  text(): string {
    const length = this.varint();
    this.require(length);
    const start = this.offset;
    this.offset = start + length;
    if (this.isAscii(start, this.offset)) return this.buffer.toString('latin1', start, this.offset);
    try {
      return strictUtf8.decode(this.buffer.subarray(start, this.offset));
    } catch (cause) {
      throw new MalformedBytesError('a text is UTF-8', { cause });
    }
  }

  /** For what is kept: a view would keep all that was read from. */
  copiedBytes(): Uint8Array {
    return new Uint8Array(this.bytes());
  }

  /** A view of the frame, not a copy. */
  bytes(): Uint8Array {
    const length = this.varint();
    this.require(length);
    const start = this.offset;
    this.offset = start + length;
    return this.buffer.subarray(start, this.offset);
  }

  /** The same as a string with a character for each (`packBytes`). */
  packedBytes(): string {
    const length = this.varint();
    this.require(length);
    const start = this.offset;
    this.offset = start + length;
    return this.buffer.toString('latin1', start, this.offset);
  }

  /** The length of a list whose elements have at least one byte each: so a garbage length cannot allocate much. */
  count(): number {
    const count = this.varint();
    this.require(count);
    return count;
  }

  /** One of a closed set, written as its place in it. */
  oneOf<Choice>(choices: readonly Choice[]): Choice {
    const choice = choices[this.varint()];
    if (choice === undefined) throw new MalformedBytesError('an unknown choice');
    return choice;
  }

  end(): void {
    if (!this.atEnd) throw new MalformedBytesError('bytes after the end');
  }

  private isAscii(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.buffer[at]! > 0x7f) return false;
    return true;
  }

  private get view(): DataView {
    const { buffer, byteOffset, byteLength } = this.buffer;
    this.lazyView ??= new DataView(buffer, byteOffset, byteLength);
    return this.lazyView;
  }

  private require(bytes: number): void {
    if (this.offset + bytes > this.buffer.length) throw new MalformedBytesError('truncated');
  }

  private longVarint(first: number): number {
    let value = first & 0x7f;
    let factor = 128;
    for (let read = 1; read < VARINT_BYTES_MAX; read++) {
      const byte = this.uint8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw new MalformedBytesError('a varint is below 2^53');
        return value;
      }
      factor *= 128;
    }
    throw new MalformedBytesError('a varint has at most eight bytes');
  }
}
