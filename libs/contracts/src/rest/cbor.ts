/**
 * CBOR (RFC 8949) item by item, for bodies whose form is known: whoever reads says what must come next, so that nothing
 * is built but what is wanted, however deep or long a body claims to be. A decoder of any CBOR would make objects of all
 * there is first (eight million of a body of 8 MiB) and look at them afterwards.
 *
 * No indefinite lengths, no tags, no numbers but integers below 2^53: nobody needs them here. Texts are UTF-8.
 */
import { isAscii, isUtf8 } from 'node:buffer';

export const CBOR_MEDIA_TYPE = 'application/cbor';

const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const OTHER = 7;
const TRUE = 0xf5;

/** An argument below this stands in the first byte; these say how long the one behind it is. */
const ONE_BYTE = 24;
const TWO_BYTES = 25;
const FOUR_BYTES = 26;
const EIGHT_BYTES = 27;
/** Up to this length a loop over bytes beats the call into the runtime. */
const LOOP_LENGTH_MAX = 40;
const TWO_32 = 0x1_0000_0000;

const WHATS = [
  'an integer',
  'a negative integer',
  'bytes',
  'a text',
  'a list',
  'a map',
  'a tag',
  'a simple value',
];

/** Bytes that are no CBOR, or not of the form that is read. */
export class CborError extends Error {
  override readonly name = 'CborError';
}

export class CborReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many pairs follow. */
  map(): number {
    const pairs = this.head(MAP);
    if (pairs * 2 > this.buffer.length - this.at) throw new CborError('the body ends within a map');
    return pairs;
  }

  array(): number {
    const items = this.head(ARRAY);
    if (items > this.buffer.length - this.at) throw new CborError('the body ends within a list');
    return items;
  }

  unsigned(): number {
    return this.head(UNSIGNED);
  }

  true(): void {
    if (this.buffer[this.at] !== TRUE) throw this.unexpected('true');
    this.at += 1;
  }

  text(): string {
    const { start, end } = this.string(TEXT);
    if (this.isAscii(start, end)) return this.buffer.toString('latin1', start, end);
    if (!isUtf8(this.buffer.subarray(start, end))) throw new CborError('a text is not UTF-8');
    return this.buffer.toString('utf8', start, end);
  }

  /** A view of the body, not a copy. A text stands for its UTF-8. */
  bytes(): Uint8Array {
    const isText = this.nextIs(TEXT);
    const { start, end } = this.string(isText ? TEXT : BYTES);
    const part = this.buffer.subarray(start, end);
    if (isText && !isUtf8(part)) throw new CborError('a text is not UTF-8');
    return part;
  }

  /** The text that comes, where it is one of these; otherwise it is given as it is. */
  name<Name extends string>(names: CborNames<Name>): Name | { readonly unknown: string } {
    const begin = this.at;
    const { start, end } = this.string(TEXT);
    const found = names.find(this.buffer, start, end);
    if (found !== undefined) return found;
    this.at = begin;
    return { unknown: this.text() };
  }

  end(): void {
    if (this.at < this.buffer.length) throw new CborError('there are bytes behind its end');
  }

  /** Whatever it is: for what somebody else may have added. */
  skip(): void {
    for (let left = 1; left > 0; left -= 1) {
      const type = (this.buffer[this.at] ?? 0) >>> 5;
      const argument = this.argument();
      if (type === BYTES || type === TEXT) this.move(argument);
      else if (type === ARRAY) left += argument;
      else if (type === MAP) left += 2 * argument;
      else if (type === TAG) left += 1;
    }
  }

  /** ASCII is the same in Latin-1, which is read several times as fast. */
  private isAscii(start: number, end: number): boolean {
    if (end - start > LOOP_LENGTH_MAX) return isAscii(this.buffer.subarray(start, end));
    for (let at = start; at < end; at++) if (this.buffer[at]! > 0x7f) return false;
    return true;
  }

  private nextIs(type: number): boolean {
    return (this.buffer[this.at] ?? 0) >>> 5 === type;
  }

  private head(type: number): number {
    if (!this.nextIs(type) || this.at >= this.buffer.length) throw this.unexpected(WHATS[type]!);
    return this.argument();
  }

  private unexpected(wanted: string): CborError {
    const first = this.buffer[this.at];
    if (first === undefined) return new CborError('it ends too early');
    return new CborError(`expected ${wanted}, not ${WHATS[first >>> 5]!}`);
  }

  private argument(): number {
    const { buffer } = this;
    const first = buffer[this.at++];
    if (first === undefined) throw new CborError('it ends too early');
    const short = first & 31;
    if (short < ONE_BYTE) return short;
    const { at } = this;
    switch (short) {
      case ONE_BYTE:
        this.move(1);
        return buffer[at]!;
      case TWO_BYTES:
        this.move(2);
        return buffer.readUInt16BE(at);
      case FOUR_BYTES:
        this.move(4);
        return buffer.readUInt32BE(at);
      case EIGHT_BYTES: {
        this.move(8);
        const value = buffer.readUInt32BE(at) * TWO_32 + buffer.readUInt32BE(at + 4);
        // The eight bytes of a float are no number to count by; only `skip` meets them.
        if (first >>> 5 === OTHER || value <= Number.MAX_SAFE_INTEGER) return value;
        throw new CborError('a number is not below 2^53');
      }
      default:
        throw new CborError('lengths are to be said beforehand (indefinite ones are not taken)');
    }
  }

  private string(type: number): { start: number; end: number } {
    const length = this.head(type);
    const start = this.at;
    this.move(length);
    return { start, end: this.at };
  }

  private move(bytes: number): void {
    if (bytes > this.buffer.length - this.at) throw new CborError('it ends too early');
    this.at += bytes;
  }
}

/** A closed set of texts, found without making one of the bytes. */
export class CborNames<Name extends string> {
  /** By their lengths. */
  private readonly byLength: { readonly name: Name; readonly bytes: Buffer }[][] = [];

  constructor(names: readonly Name[]) {
    for (const name of names) (this.byLength[name.length] ??= []).push({ name, bytes: Buffer.from(name) });
  }

  find(buffer: Buffer, start: number, end: number): Name | undefined {
    for (const { name, bytes } of this.byLength[end - start] ?? []) {
      let same = 0;
      while (same < bytes.length && bytes[same] === buffer[start + same]) same += 1;
      if (same === bytes.length) return name;
    }
    return undefined;
  }
}

const FIRST_BYTES = 4_096;
const HEAD_BYTES_MAX = 9;

export class CborWriter {
  private buffer: Buffer;
  private at = 0;

  constructor(bytes = FIRST_BYTES) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  map(pairs: number): this {
    return this.head(MAP, pairs);
  }

  array(items: number): this {
    return this.head(ARRAY, items);
  }

  unsigned(value: number): this {
    return this.head(UNSIGNED, value);
  }

  true(): this {
    this.reserve(1);
    this.buffer[this.at++] = TRUE;
    return this;
  }

  bytes(value: Uint8Array): this {
    return this.head(BYTES, value.length).encoded(value);
  }

  text(value: string): this {
    const { length } = value;
    this.reserve(HEAD_BYTES_MAX + length * 3);
    if (length <= LOOP_LENGTH_MAX && this.ascii(value)) return this;
    const bytes = Buffer.byteLength(value);
    this.head(TEXT, bytes);
    this.at += this.buffer.write(value, this.at, 'utf8');
    return this;
  }

  /** Items that were written before. */
  encoded(items: Uint8Array): this {
    this.reserve(items.length);
    this.buffer.set(items, this.at);
    this.at += items.length;
    return this;
  }

  /** What was written. Nothing may be written any more. */
  take(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  private ascii(value: string): boolean {
    const { buffer } = this;
    const start = this.at + (value.length < ONE_BYTE ? 1 : 2);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[start + i] = code;
    }
    this.head(TEXT, value.length);
    this.at += value.length;
    return true;
  }

  private head(type: number, argument: number): this {
    this.reserve(HEAD_BYTES_MAX);
    const { buffer } = this;
    const first = type << 5;
    if (argument < ONE_BYTE) {
      buffer[this.at++] = first | argument;
    } else if (argument < 0x100) {
      buffer[this.at++] = first | ONE_BYTE;
      buffer[this.at++] = argument;
    } else if (argument < 0x1_0000) {
      buffer[this.at++] = first | TWO_BYTES;
      this.at = buffer.writeUInt16BE(argument, this.at);
    } else if (argument < TWO_32) {
      buffer[this.at++] = first | FOUR_BYTES;
      this.at = buffer.writeUInt32BE(argument, this.at);
    } else {
      buffer[this.at++] = first | EIGHT_BYTES;
      this.at = buffer.writeUInt32BE(Math.floor(argument / TWO_32), this.at);
      this.at = buffer.writeUInt32BE(argument % TWO_32, this.at);
    }
    return this;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

/** Items that are written often. */
export function cborOf(write: (writer: CborWriter) => void): Buffer {
  const writer = new CborWriter(64);
  write(writer);
  return writer.take();
}
