/** Against cborg, a CBOR implementation by others, in both directions; and against bodies that are made to harm. */
import { describe, expect, it } from '@jest/globals';
import { decode, encode } from 'cborg';
import fc from 'fast-check';
import { OperationalError } from '../errors/operational-error.js';
import { BinaryResultsWriter, readBinaryBatch, readBinaryResults, writeBinaryBatch } from './batch-cbor.js';
import type { BinaryOperation, BinaryResult } from './batch-cbor.js';

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const text = (value: string): string => Buffer.from(encode(value)).toString('hex');

type Fields<T> = { [Name in keyof T]?: T[Name] extends fc.Arbitrary<infer Value> ? Value : never };

/** Absent fields are not there, rather than undefined. */
const some = <T extends Record<string, fc.Arbitrary<unknown>>>(fields: T): fc.Arbitrary<Fields<T>> =>
  fc.record<Record<string, unknown>>(fields, { requiredKeys: [] }) as fc.Arbitrary<Fields<T>>;
const key = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 300 }));
const number = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
const conditions = { ifRevision: number, ifVersion: number, ifPresent: fc.constant(true as const) };
const put = fc
  .tuple(
    key,
    some({
      value: fc.uint8Array({ maxLength: 300 }),
      contentType: fc.string(),
      ...conditions,
      ifAbsent: fc.constant(true as const),
    }),
  )
  .map(([name, more]): BinaryOperation => ({ op: 'put', key: name, ...more }));
const remove = fc
  .tuple(key, some(conditions))
  .map(([name, more]): BinaryOperation => ({ op: 'delete', key: name, ...more }));
const get = key.map((name): BinaryOperation => ({ op: 'get', key: name }));
const operations = fc.array(fc.oneof(put, remove, get), { maxLength: 8 });

const result = fc.oneof(
  fc.record({ status: fc.constantFrom(200, 201, 204), revision: fc.maxSafeNat(), version: fc.nat() }),
  fc.record({
    ...{ status: fc.constant(200), revision: fc.nat(), version: fc.nat(), value: fc.uint8Array() },
    ...{ contentType: fc.string(), createdAt: fc.string(), modifiedAt: fc.string() },
  }),
  fc.record({ status: fc.constant(404), code: fc.constant('KEY_NOT_FOUND' as const), detail: fc.string() }),
) as fc.Arbitrary<BinaryResult>;

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each,
    ).replaceAll(/\{"type":"Buffer","data":(\[[^\]]*\])\}/g, (_, data: string) =>
      JSON.stringify(Buffer.from(JSON.parse(data) as number[]).toString('hex')),
    ),
  );

describe('a batch in CBOR', () => {
  it('is read as others write it', () => {
    fc.assert(
      fc.property(operations, (given) => {
        expect(plain(readBinaryBatch(encode({ operations: given })))).toEqual(plain(given));
      }),
    );
  });

  it('is written as others read it', () => {
    fc.assert(
      fc.property(operations, (given) => {
        expect(plain(decode(writeBinaryBatch(given)))).toEqual(plain({ operations: given }));
      }),
    );
  });

  it('has its fields in any order, and lengths that could be shorter', () => {
    const fields = `${text('key')} 7a00000001 61 ${text('value')} 5b0000000000000001 ff ${text('op')} ${text('put')}`;
    expect(plain(readBinaryBatch(bytesOf(`b90001 ${text('operations')} 9801 a3 ${fields}`)))).toEqual([
      { op: 'put', key: 'a', value: 'ff' },
    ]);
  });

  it('takes a text as a value: its UTF-8', () => {
    const [put] = readBinaryBatch(encode({ operations: [{ op: 'put', key: 'k', value: 'zwölf' }] }));
    expect(plain(put)).toMatchObject({ value: Buffer.from('zwölf').toString('hex') });
  });
});

const refusalOf = (body: Uint8Array): unknown => {
  try {
    return readBinaryBatch(body);
  } catch (error) {
    if (error instanceof OperationalError)
      return [error.code, error.details['field'] ?? error.details['operationsMax']];
    throw error;
  }
};
const batch = (hex: string): Buffer => bytesOf(`a1 ${text('operations')} ${hex}`);
const operation = (hex: string): Buffer => batch(`81 ${hex}`);
const GET = `${text('op')} ${text('get')} ${text('key')} ${text('k')}`;
const PUT = `${text('op')} ${text('put')} ${text('key')} ${text('k')}`;

describe('a body that is no batch in CBOR', () => {
  it.each<[string, Buffer, string]>([
    ['is empty', bytesOf(''), 'body'],
    ['is a list', bytesOf('80'), 'body'],
    ['is an empty map', bytesOf('a0'), 'operations'],
    ['has bytes behind its end', Buffer.concat([encode({ operations: [] }), bytesOf('00')]), 'body'],
    ['is of indefinite length', bytesOf(`bf ${text('operations')} 80 ff`), 'body'],
    ['has a list of indefinite length', batch('9f ff'), 'operations'],
    [
      'has a value of indefinite length',
      operation(`a3 ${PUT} ${text('value')} 5f 41 00 ff`),
      'operations.0.value',
    ],
    ['has a reserved length', bytesOf('bc'), 'body'],
    ['is tagged', bytesOf(`d9d9f7 a1 ${text('operations')} 80`), 'body'],
    ['has another field', Buffer.from(encode({ operations: [], more: 1 })), 'more'],
    [
      'has its operations twice',
      bytesOf(`a2 ${text('operations')} 80 ${text('operations')} 80`),
      'operations',
    ],
    ['has a field of another type', batch('01'), 'operations'],
    ['has an operation that is none', operation('f6'), 'operations.0'],
    ['has an operation of another kind', operation(`a1 ${text('op')} ${text('patch')}`), 'operations.0.op'],
    ['has an operation of no kind', operation(`a1 ${text('key')} ${text('k')}`), 'operations.0.op'],
    ['has an operation on no key', operation(`a1 ${text('op')} ${text('get')}`), 'operations.0.key'],
    ['has a key that is bytes', operation(`a1 ${text('key')} 41 61`), 'operations.0.key'],
    ['has a key that is not UTF-8', operation(`a1 ${text('key')} 62 c328`), 'operations.0.key'],
    ['has half a surrogate pair', operation(`a1 ${text('key')} 63 eda080`), 'operations.0.key'],
    [
      'has a text value that is not UTF-8',
      operation(`a3 ${PUT} ${text('value')} 62 c328`),
      'operations.0.value',
    ],
    ['has a key twice', operation(`a3 ${GET} ${text('key')} ${text('b')}`), 'operations.0.key'],
    ['has an unknown field', operation(`a3 ${GET} ${text('__proto__')} a0`), 'operations.0.__proto__'],
    ['has a field that is no text', operation('a1 01 02'), 'operations.0'],
    ['has base64', operation(`a3 ${PUT} ${text('valueBase64')} 60`), 'operations.0.valueBase64'],
    ['gets with a value', operation(`a3 ${GET} ${text('value')} 40`), 'operations.0.value'],
    [
      'deletes what is absent',
      operation(`a3 ${GET.replace(text('get'), text('delete'))} ${text('ifAbsent')} f5`),
      'operations.0.ifAbsent',
    ],
    ['has a condition of false', operation(`a3 ${PUT} ${text('ifAbsent')} f4`), 'operations.0.ifAbsent'],
    ['has a revision of 0', operation(`a3 ${PUT} ${text('ifRevision')} 00`), 'operations.0.ifRevision'],
    ['has a negative revision', operation(`a3 ${PUT} ${text('ifRevision')} 20`), 'operations.0.ifRevision'],
    [
      'has a revision with a fraction',
      operation(`a3 ${PUT} ${text('ifRevision')} f93e00`),
      'operations.0.ifRevision',
    ],
    [
      'has a revision above 2^53',
      operation(`a3 ${PUT} ${text('ifRevision')} 1b0020000000000000`),
      'operations.0.ifRevision',
    ],
    ['is deeper than any stack', Buffer.concat([batch(''), Buffer.alloc(8_000_000, 0x81)]), 'operations.0'],
    ['claims 2^53 operations', batch('9b001fffffffffffff'), 'operations'],
    ['claims a map of 2^32', bytesOf('ba ffffffff'), 'body'],
    ['claims a key of 4 GiB', operation(`a1 ${text('key')} 7affffffff 61`), 'operations.0.key'],
    [
      'claims a value of 2^64',
      operation(`a3 ${PUT} ${text('value')} 5bffffffffffffffff 61`),
      'operations.0.value',
    ],
  ])('%s', (_, body, field) => {
    expect(refusalOf(body)).toEqual(['INVALID_ARGUMENT', field]);
  });

  it('has too many operations, whatever they are', () => {
    const many = Buffer.concat([batch('9a 007a1200'), Buffer.alloc(8_000_000, 0xa0)]);
    expect(refusalOf(many)).toEqual(['REQUEST_TOO_LARGE', 1_000]);
  });

  it('ends anywhere, or is changed anywhere: then it is refused, or read, and nothing else', () => {
    fc.assert(
      fc.property(operations, fc.nat(), fc.nat({ max: 255 }), (given, at, byte) => {
        const body = Buffer.from(encode({ operations: given }));
        const cut = body.subarray(0, at % body.length);
        expect(refusalOf(cut)).toEqual(['INVALID_ARGUMENT', expect.any(String)]);
        body[at % body.length] = byte;
        expect(Array.isArray(refusalOf(body))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the results of a batch in CBOR', () => {
  it('are written as others read them, and read as others write them', () => {
    fc.assert(
      fc.property(fc.array(result, { maxLength: 5 }), (given) => {
        const writer = new BinaryResultsWriter(given.length);
        for (const each of given) writer.add(each);
        const body = writer.take();
        expect(plain(decode(body))).toEqual(plain({ results: given }));
        expect(plain(readBinaryResults(body))).toEqual(plain(given));
      }),
    );
  });

  it('are shorter to write where they are plain', () => {
    const writer = new BinaryResultsWriter(2);
    writer.written(201, 70_000, 1);
    writer.written(204, 2 ** 52, 0);
    expect(decode(writer.take())).toEqual({
      results: [
        { status: 201, revision: 70_000, version: 1 },
        { status: 204, revision: 2 ** 52, version: 0 },
      ],
    });
  });

  it('may have fields that nobody knew', () => {
    const more = { a: [1, -2, 1.5, null, true, 'text', new Uint8Array(3), { b: [[[]]] }], c: 2 ** 60 };
    const body = encode({ more, results: [{ status: 200, more, version: 1 }], last: more });
    expect(readBinaryResults(body)).toEqual([{ status: 200, version: 1 }]);
  });

  it.each([
    '',
    '80',
    'a1',
    'a1 67726573756c7473 81 a0',
    'a1 67726573756c7473 80 00',
    'a1 6161 9bffffffffffffffff',
  ])('are not %j', (hex) =>
    expect(() => readBinaryResults(bytesOf(hex))).toThrow(expect.objectContaining({ name: 'CborError' })),
  );
});
