import { describe, expect, it } from '@jest/globals';
import { ByteReader, ByteWriter, listOf, MalformedBytesError } from '@ringleader/primitives';
import fc from 'fast-check';
import type { RequestMark } from './records.js';
import { markCodec, PackedMarks } from './request-marks.js';
import { isKeyed, KEYED_ID_PREFIX } from './requests.js';

const safe = fc.maxSafeNat();
const ids = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('é', '\u00c3\u00a9', 'gateway-1', 'gateway-2', `${KEYED_ID_PREFIX}a`, ''),
);
const marks = fc.record({ id: ids, origin: safe, revision: safe, version: safe });
const lists = fc.array(marks, { maxLength: 5 });

describe('marks as they are packed', () => {
  it('are those that were given, in the bytes of their list', () => {
    const list = listOf(markCodec);
    fc.assert(
      fc.property(lists, (given) => {
        const packed = PackedMarks.of(given);
        expect([...packed]).toEqual(given);
        expect(packed).toHaveLength(given.length);
        expect(packed.mayBeKeyed).toBe(given.some(({ id }) => isKeyed(id)));
        const writer = new ByteWriter();
        packed.write(writer);
        const bytes = writer.take();
        expect(list.read(new ByteReader(bytes))).toEqual(given);
        expect(PackedMarks.read(new ByteReader(bytes))).toEqual(packed);
      }),
    );
  });

  it('are found by their ids, whatever characters these have', () => {
    fc.assert(
      fc.property(lists, ids, (given, id) => {
        for (const wanted of [id, ...given.map((mark) => mark.id)]) {
          expect(PackedMarks.of(given).find(wanted)).toEqual(given.find((mark) => mark.id === wanted));
        }
      }),
    );
  });

  it('take one more, and forget the oldest of too many', () => {
    fc.assert(
      fc.property(lists, marks, fc.integer({ min: 1, max: 5 }), (given, mark, max) => {
        const all: RequestMark[] = [...given, mark];
        const kept = all.slice(-max);
        const { marks: packed, forgotten } = PackedMarks.of(given).with(mark, max);
        expect([...packed]).toEqual(kept);
        expect(packed).toHaveLength(kept.length);
        const origins = all.slice(0, all.length - kept.length).map(({ origin }) => origin);
        expect(forgotten).toBe(Math.max(0, ...origins));
        expect(packed.mayBeKeyed || !kept.some(({ id }) => isKeyed(id))).toBe(true);
      }),
    );
  });

  it('of later revisions are told apart', () => {
    fc.assert(
      fc.property(lists, fc.oneof(safe, fc.nat(300)), (given, revision) => {
        for (const bound of [revision, ...given.map((mark) => mark.revision)]) {
          expect(PackedMarks.of(given).past(bound)).toEqual(given.filter((mark) => mark.revision > bound));
        }
      }),
    );
  });

  it('that are cut short, or no marks, are not read', () => {
    fc.assert(
      fc.property(fc.array(marks, { minLength: 1, maxLength: 4 }), fc.nat(), (given, place) => {
        const writer = new ByteWriter();
        PackedMarks.of(given).write(writer);
        const bytes = writer.take();
        const cut = bytes.subarray(0, place % bytes.length);
        expect(() => PackedMarks.read(new ByteReader(cut))).toThrow(MalformedBytesError);
      }),
    );
  });
});
