/**
 * Reads what `ByteWriter` wrote. Frames come from outside the process, so every read is checked against the end and
 * against the range of its type. A failed check throws `MalformedFrameError`, which `decodeFrame` turns into a value:
 * nothing else may catch it, and it never leaves this folder.
 */
export class MalformedFrameError extends Error {
  override readonly name = 'MalformedFrameError';
}

/** The greatest number of bytes of a varint below 2^53. */
const VARINT_BYTES_MAX = 8;

export class ByteReader {
  private readonly buffer: Buffer;
  private readonly view: DataView;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.offset === this.buffer.length;
  }

  uint8(): number {
    const value = this.buffer[this.offset++];
    if (value === undefined) throw new MalformedFrameError('truncated');
    return value;
  }

  boolean(): boolean {
    const value = this.uint8();
    if (value > 1) throw new MalformedFrameError('a boolean is 0 or 1');
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
    if (!Number.isFinite(value)) throw new MalformedFrameError('a number is finite');
    return value;
  }

  /** A hybrid time: a non-negative integer below 2^53. */
  instant(): number {
    const value = this.float64();
    if (!Number.isSafeInteger(value) || value < 0) throw new MalformedFrameError('an instant is an integer');
    return value;
  }

  optionalVarint(): number | null {
    return this.boolean() ? this.varint() : null;
  }

  optionalInstant(): number | null {
    return this.boolean() ? this.instant() : null;
  }

  optionalFloat64(): number | null {
    return this.boolean() ? this.float64() : null;
  }

  string(): string {
    this.require(2);
    const length = this.view.getUint16(this.offset, true);
    const start = this.offset + 2;
    const end = start + length;
    if (end > this.buffer.length) throw new MalformedFrameError('truncated string');
    this.offset = end;
    return this.buffer.toString('utf8', start, end);
  }

  optionalString(): string | null {
    return this.boolean() ? this.string() : null;
  }

  /** A view of the frame, not a copy. */
  bytes(): Uint8Array {
    const length = this.varint();
    this.require(length);
    const start = this.offset;
    this.offset = start + length;
    return this.buffer.subarray(start, this.offset);
  }

  /** The length of a list whose elements have at least one byte each: so a garbage length cannot allocate much. */
  count(): number {
    const count = this.varint();
    this.require(count);
    return count;
  }

  private require(bytes: number): void {
    if (this.offset + bytes > this.buffer.length) throw new MalformedFrameError('truncated');
  }

  private longVarint(first: number): number {
    let value = first & 0x7f;
    let factor = 128;
    for (let read = 1; read < VARINT_BYTES_MAX; read++) {
      const byte = this.uint8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw new MalformedFrameError('a varint is below 2^53');
        return value;
      }
      factor *= 128;
    }
    throw new MalformedFrameError('a varint has at most eight bytes');
  }
}
