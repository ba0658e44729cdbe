import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, MalformedBytesError } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { isUtf8, packBytes, unpackBytes } from './packed-bytes.js';

/** Each form of a value: how it is drawn, written and read. */
const forms = {
  uint8: {
    draw: fc.nat(255),
    write: (w: ByteWriter, v: number) => w.uint8(v),
    read: (r: ByteReader) => r.uint8(),
  },
  boolean: {
    draw: fc.boolean(),
    write: (w: ByteWriter, v: boolean) => w.boolean(v),
    read: (r: ByteReader) => r.boolean(),
  },
  varint: {
    draw: fc.oneof(
      fc.nat(300),
      fc.maxSafeNat(),
      fc.constantFrom(0x7f, 0x80, 0x7fff_ffff, 0x8000_0000, Number.MAX_SAFE_INTEGER),
    ),
    write: (w: ByteWriter, v: number) => w.varint(v),
    read: (r: ByteReader) => r.varint(),
  },
  float64: {
    draw: fc.double({ noNaN: true, noDefaultInfinity: true }),
    write: (w: ByteWriter, v: number) => w.float64(v),
    read: (r: ByteReader) => r.float64(),
  },
  uint32: {
    draw: fc.oneof(fc.nat(300), fc.nat(0xffff_ffff)),
    write: (w: ByteWriter, v: number) => w.uint32(v),
    read: (r: ByteReader) => r.uint32(),
  },
  uint64: {
    draw: fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER)),
    write: (w: ByteWriter, v: number) => w.uint64(v),
    read: (r: ByteReader) => r.uint64(),
  },
  bytes32: {
    draw: fc.uint8Array({ maxLength: 300 }),
    write: (w: ByteWriter, v: Uint8Array) => w.bytes32(v),
    read: (r: ByteReader) => new Uint8Array(r.bytes32()),
  },
  string: {
    draw: fc.string({ unit: 'grapheme', maxLength: 60 }),
    write: (w: ByteWriter, v: string) => w.string(v),
    read: (r: ByteReader) => r.string(),
  },
  packedBytes: {
    draw: fc.uint8Array({ maxLength: 300 }).map(packBytes),
    write: (w: ByteWriter, v: string) => w.packedBytes(v),
    read: (r: ByteReader) => r.packedBytes(),
  },
  text: {
    draw: fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => `\ufeff${text}`),
    write: (w: ByteWriter, v: string) => w.text(v),
    read: (r: ByteReader) => r.text(),
  },
  bytes: {
    draw: fc.uint8Array({ maxLength: 300 }),
    write: (w: ByteWriter, v: Uint8Array) => w.bytes(v),
    read: (r: ByteReader) => new Uint8Array(r.bytes()),
  },
};

interface Sample {
  readonly value: unknown;
  write(writer: ByteWriter): unknown;
  read(reader: ByteReader): unknown;
}

/** Binds a drawn value to its form. */
function sampleOf<Value>(form: {
  readonly draw: fc.Arbitrary<Value>;
  write(writer: ByteWriter, value: Value): unknown;
  read(reader: ByteReader): Value;
}): fc.Arbitrary<Sample> {
  return form.draw.map((value) => ({
    value,
    write: (writer) => form.write(writer, value),
    read: (reader) => form.read(reader),
  }));
}

const samples = fc.array(
  fc.oneof(
    sampleOf(forms.uint8),
    sampleOf(forms.boolean),
    sampleOf(forms.varint),
    sampleOf(forms.float64),
    sampleOf(forms.uint32),
    sampleOf(forms.uint64),
    sampleOf(forms.bytes32),
    sampleOf(forms.string),
    sampleOf(forms.text),
    sampleOf(forms.bytes),
  ),
  { minLength: 1, maxLength: 12 },
);

function written(all: readonly Sample[], writer = new ByteWriter()): Uint8Array {
  for (const sample of all) sample.write(writer);
  return writer.copy();
}

describe('bytes', () => {
  it('are read as they were written, to the end', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const reader = new ByteReader(written(all));
        for (const sample of all) expect(sample.read(reader)).toEqual(sample.value);
        expect(reader.atEnd).toBe(true);
        reader.end();
      }),
    );
  });

  it('that are cut short anywhere are malformed, whatever was read of them', () => {
    fc.assert(
      fc.property(samples, fc.nat(), (all, at) => {
        const whole = written(all);
        const reader = new ByteReader(whole.subarray(0, at % whole.length));
        expect(() => {
          for (const sample of all) sample.read(reader);
        }).toThrow(MalformedBytesError);
      }),
    );
  });

  it('that are noise are refused with that error alone', () => {
    const readers = Object.values(forms).map(({ read }) => read as (reader: ByteReader) => unknown);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(readers.length - 1), (noise, which) => {
        try {
          readers[which]?.(new ByteReader(noise));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['a number of nine bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], forms.varint.read],
    ['a number of 2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], forms.varint.read],
    ['a flag that is neither', [2], forms.boolean.read],
    ['a text that is not UTF-8', [1, 0xff], forms.text.read],
    ['a count of more than is left', [0xff, 0x7f, 1], (r: ByteReader) => r.count()],
    ['an infinite number', [0, 0, 0, 0, 0, 0, 0xf0, 0x7f], forms.float64.read],
  ])('refuse %s', (_, bytes, read) => {
    expect(() => read(new ByteReader(Uint8Array.from(bytes)))).toThrow(MalformedBytesError);
  });

  it('are handed out for good, or copied, and what follows does not touch them', () => {
    const writer = new ByteWriter(8);
    const first = writer.text('first').take();
    const second = writer.text('second').copy();
    const third = written([], writer.text('third, which is longer than all before'));
    const texts = [first, second, third].map((bytes) => new ByteReader(bytes).text());
    expect(texts).toEqual(['first', 'second', 'third, which is longer than all before']);
    expect(second.buffer.byteLength).toBe(second.length);
  });

  it('that are long are referred to where the writer is told to, and read the same', () => {
    const values = [10, 5_000, 100_000, 3, 4_096].map((length, fill) => Buffer.alloc(length, fill));
    const referring = ByteWriter.referring(64);
    for (let frame = 0; frame < 2; frame++) {
      for (const value of values) referring.varint(frame).bytes(value);
      const parts = referring.takeParts();
      const copying = new ByteWriter();
      for (const value of values) copying.varint(frame).bytes(value);
      expect(Buffer.concat(parts).equals(copying.take())).toBe(true);
      expect(values.map((value) => parts.includes(value))).toEqual([false, true, true, false, true]);
    }
  });

  it('of a string are passed over as they are read, and compared with how it begins', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 12 });
    fc.assert(
      fc.property(texts, fc.constantFrom('', 'key:', 'ab'), texts, (before, prefix, text) => {
        for (const whole of [text, prefix + text]) {
          const frame = new ByteWriter().string(before).string(whole).uint8(7).take();
          const reader = new ByteReader(frame);
          reader.string();
          const from = reader.position;
          expect(reader.skipString(prefix)).toBe(whole.startsWith(prefix));
          expect(new ByteReader(unpackBytes(reader.packedSince(from))).string()).toBe(whole);
          expect(reader.uint8()).toBe(7);
          const cut = new ByteReader(frame.subarray(from, -2));
          expect(() => cut.skipString(prefix)).toThrow(MalformedBytesError);
        }
      }),
    );
  });

  it('that are kept do not keep what they were read from', () => {
    const frame = new ByteWriter().bytes(Uint8Array.of(1, 2, 3)).take();
    expect(new ByteReader(frame).bytes().buffer).toBe(frame.buffer);
    expect(new ByteReader(frame).copiedBytes().buffer.byteLength).toBe(3);
  });
});

describe('packed bytes', () => {
  it('are told from those of a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(isUtf8(Buffer.from(text))).toBe(true)),
    );
    for (const wrong of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80]])
      expect(isUtf8(Uint8Array.from(wrong))).toBe(false);
  });

  it('are the bytes, in their order, and have the form of bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(unpackBytes(packBytes(a))).toEqual(a);
        expect(packBytes(a) < packBytes(b)).toBe(Buffer.compare(a, b) < 0);
        const written = new ByteWriter().bytes(a).take();
        expect(new ByteWriter().packedBytes(packBytes(a)).take()).toEqual(written);
      }),
    );
  });
});
