/**
 * The byte form of commands and snapshots: unsigned integers in seven-bit groups (LEB128), strings as UTF-8 with their
 * length before them. Every value has exactly one form, so that equal states are equal bytes.
 */
import { invariant } from '@ringleader/primitives';

export class MalformedBytesError extends Error {
  override readonly name = 'MalformedBytesError';
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const INITIAL_SIZE = 256;

export class ByteWriter {
  #bytes = new Uint8Array(INITIAL_SIZE);
  #length = 0;

  /** 0 <= value < 2^53. */
  integer(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, 'an unsigned integer');
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  string(value: string): this {
    const encoded = encoder.encode(value);
    this.integer(encoded.length);
    this.#reserve(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
    return this;
  }

  list<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.integer(items.length);
    for (const item of items) write(item);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

export class ByteReader {
  #position = 0;

  constructor(private readonly bytes: Uint8Array) {}

  integer(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.#position++];
      if (byte === undefined) throw new MalformedBytesError('ends within an integer');
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw new MalformedBytesError('an integer above 2^53');
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  string(): string {
    const length = this.integer();
    const end = this.#position + length;
    if (end > this.bytes.length) throw new MalformedBytesError('ends within a string');
    const encoded = this.bytes.subarray(this.#position, end);
    this.#position = end;
    try {
      return decoder.decode(encoded);
    } catch (cause) {
      throw new MalformedBytesError('a string that is not UTF-8', { cause });
    }
  }

  list<Item>(read: () => Item): Item[] {
    const count = this.integer();
    // Every item takes a byte at least: a damaged count must not make us allocate without bound.
    if (count > this.bytes.length - this.#position) throw new MalformedBytesError('ends within a list');
    return Array.from({ length: count }, read);
  }

  /** One of a closed set, written as its place in it. */
  oneOf<Choice>(choices: readonly Choice[]): Choice {
    const choice = choices[this.integer()];
    if (choice === undefined) throw new MalformedBytesError('an unknown choice');
    return choice;
  }

  end(): void {
    if (this.#position !== this.bytes.length) throw new MalformedBytesError('bytes after the end');
  }
}
