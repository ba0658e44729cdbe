/** Reading and writing of numbers and byte strings. Integers below 2^53 are LEB128: seven bits a byte, lowest first. */

export class ByteWriter {
  #buffer = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  integer(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  flag(value: boolean): void {
    this.integer(value ? 1 : 0);
  }

  bytes(value: Uint8Array): void {
    this.integer(value.byteLength);
    this.#reserve(value.byteLength);
    this.#buffer.set(value, this.#length);
    this.#length += value.byteLength;
  }

  /** What was written. The writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** What came in is not what it claims to be. Never leaves this folder. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

export class ByteReader {
  readonly #buffer: Uint8Array;
  #position = 0;

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#buffer.byteLength;
  }

  integer(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#buffer[this.#position++];
      if (byte === undefined) throw new MalformedError('it ends within a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw new MalformedError('a number is too large');
        return value;
      }
      factor *= 0x80;
    }
    throw new MalformedError('a number is too long');
  }

  flag(): boolean {
    return this.integer() !== 0;
  }

  /** A copy: the frame belongs to whoever received it, and would be kept whole for the sake of a few bytes. */
  bytes(): Uint8Array {
    const length = this.integer();
    const end = this.#position + length;
    if (end > this.#buffer.byteLength) throw new MalformedError('it ends within a byte string');
    const value = new Uint8Array(this.#buffer.subarray(this.#position, end));
    this.#position = end;
    return value;
  }

  /** At most what the rest of the frame could hold, so that a false count costs nothing. */
  list<T>(readItem: () => T): T[] {
    const count = this.integer();
    if (count > this.#buffer.byteLength - this.#position) throw new MalformedError('a count is too large');
    return Array.from({ length: count }, readItem);
  }
}
