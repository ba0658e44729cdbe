import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, MalformedBytesError } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import {
  boolean,
  bytes,
  type Codec,
  constant,
  copiedBytes,
  fields,
  instant,
  listOf,
  oneOf,
  optional,
  string,
  text,
  uint8,
  varint,
  variants,
} from './codec.js';
import { InvariantError } from './invariant.js';

interface Point {
  readonly index: number;
  readonly term: number;
}
type Shape =
  | { readonly kind: 'dot' }
  | { readonly kind: 'line'; readonly from: Point; readonly to: Point | null }
  | { readonly kind: 'label'; readonly text: string; readonly tags: readonly string[] };

const point = fields<Point>({ index: varint, term: varint });
const shape = variants<Shape>('a shape', {
  dot: { code: 1, fields: {} },
  line: { code: 2, fields: { from: point, to: optional(point) } },
  label: { code: 200, fields: { text, tags: listOf(string) } },
});

function encode<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new ByteWriter();
  codec.write(writer, value);
  return writer.take();
}

function decode<T>(codec: Codec<T>, encoded: Uint8Array): T {
  const reader = new ByteReader(encoded);
  const value = codec.read(reader);
  reader.end();
  return value;
}

describe('fields', () => {
  it('are written in the order of the table, and read in it', () => {
    const encoded = encode(point, { term: 300, index: 7 });
    expect(encoded).toEqual(Buffer.from([7, 0xac, 2]));
    expect(decode(point, encoded)).toEqual({ index: 7, term: 300 });
  });

  it('have each the form that the writer has', () => {
    interface Everything {
      readonly kind: 'everything';
      readonly byte: number;
      readonly flag: boolean;
      readonly at: number;
      readonly name: string;
      readonly choice: 'a' | 'b';
      readonly value: Uint8Array;
    }
    const everything = fields<Everything>({
      kind: constant('everything'),
      byte: uint8,
      flag: boolean,
      at: instant,
      name: string,
      choice: oneOf(['a', 'b']),
      value: bytes,
    });
    const value = Buffer.from([9, 8]);
    const all: Everything = {
      kind: 'everything',
      byte: 255,
      flag: true,
      at: 2,
      name: 'é',
      choice: 'b',
      value,
    };
    const byHand = new ByteWriter()
      .uint8(255)
      .boolean(true)
      .float64(2)
      .string('é')
      .varint(1)
      .bytes(value)
      .take();
    expect(encode(everything, all)).toEqual(byHand);
    expect(decode(everything, byHand)).toEqual(all);
  });

  it('that are missing, misspelt or of another type do not compile', () => {
    // @ts-expect-error -- `term` is missing
    fields<Point>({ index: varint });
    // @ts-expect-error -- `trem` is none of its fields
    fields<Point>({ index: varint, term: varint, trem: varint });
    // @ts-expect-error -- `term` is a number
    fields<Point>({ index: varint, term: string });
    // @ts-expect-error -- its text may be missing
    fields<{ readonly text: string | null }>({ text: string });
    // @ts-expect-error -- a kind has no codec
    expect(variants<Shape>('a shape', { dot: { code: 1, fields: {} } })).toBeDefined();
  });

  it('have plain names, because they become source text', () => {
    expect(() => fields({ 'a; throw 1': varint })).toThrow(InvariantError);
    expect(() => fields({ 1: varint })).toThrow(InvariantError);
  });

  it('of bytes are views of the frame, or copies', () => {
    const frame = encode(bytes, Buffer.from([1, 2]));
    const view = decode(bytes, frame);
    const copy = decode(copiedBytes, frame);
    frame.fill(9);
    expect([...view, ...copy]).toEqual([9, 9, 1, 2]);
  });
});

describe('variants', () => {
  const points = fc.record({ index: fc.maxSafeNat(), term: fc.nat() });
  const shapes: fc.Arbitrary<Shape> = fc.oneof(
    fc.constant<Shape>({ kind: 'dot' }),
    fc.record({ kind: fc.constant('line' as const), from: points, to: fc.option(points) }),
    fc.record({ kind: fc.constant('label' as const), text: fc.string(), tags: fc.array(fc.string()) }),
  );

  it('are given back, and no shorter bytes are one of them', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (value, at) => {
        const encoded = encode(shape, value);
        expect(decode(shape, encoded)).toEqual(value);
        expect(() => decode(shape, encoded.subarray(0, at % encoded.length))).toThrow(MalformedBytesError);
      }),
    );
  });

  it('have a byte of their own', () => {
    expect(encode(shape, { kind: 'label', text: 'x', tags: [] })).toEqual(Buffer.from([200, 1, 120, 0]));
    expect(() => decode(shape, Buffer.from([3]))).toThrow(new MalformedBytesError('unknown code of a shape'));
    const codesOf = (a: number, b: number) => (): unknown =>
      variants<{ readonly kind: 'a' } | { readonly kind: 'b' }>('a letter', {
        a: { code: a, fields: {} },
        b: { code: b, fields: {} },
      });
    expect(codesOf(0, 255)).not.toThrow();
    expect(codesOf(1, 1)).toThrow(InvariantError);
    expect(codesOf(1, 256)).toThrow(InvariantError);
  });

  it('of no known kind are a bug of the caller', () => {
    expect(() => encode(shape, { kind: 'circle' } as unknown as Shape)).toThrow(InvariantError);
  });
});

describe('a list', () => {
  it('is no longer than the bytes', () => {
    expect(() => decode(listOf(varint), Buffer.from([0xff, 0xff, 0x7f]))).toThrow(MalformedBytesError);
  });
});
