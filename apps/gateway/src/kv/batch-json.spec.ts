import { describe, expect, it } from '@jest/globals';
import { OperationalError, batchRequestSchema } from '@ringleader/contracts';
import fc from 'fast-check';
import { readJsonBatch } from './batch-json.js';

const read = (json: string): unknown => {
  try {
    return readJsonBatch(Buffer.from(json));
  } catch (error) {
    if (error instanceof OperationalError) return error.code;
    throw error;
  }
};

const name = fc.constantFrom(
  ...[
    'op',
    'key',
    'value',
    'valueBase64',
    'contentType',
    'ifRevision',
    'ifVersion',
    'ifAbsent',
    'ifPresent',
    '__proto__',
  ],
);
const value = fc.oneof(
  fc.constantFrom<unknown>('put', 'get', 'delete', 0, 1, -1, 1.5, 2 ** 53, true, false, null, [], {}),
  fc.string(),
);
const operation = fc.oneof(
  fc.array(fc.tuple(name, value), { maxLength: 6 }),
  fc
    .record({
      op: fc.constantFrom('put', 'get', 'delete'),
      key: fc.string(),
      more: fc.array(fc.tuple(name, value), { maxLength: 2 }),
    })
    .map(
      ({ op, key, more }) =>
        [['op', op], ['key', key], ...more.filter(([each]) => each !== 'op' && each !== 'key')] as [
          string,
          unknown,
        ][],
    ),
);
const textOf = (fields: readonly (readonly [string, unknown])[]): string =>
  `{${fields.map(([each, given]) => `${JSON.stringify(each)}:${JSON.stringify(given)}`).join(', ')}}`;

describe('a batch in JSON', () => {
  it('is what the schema says, whatever the short way takes', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 4 }), (operations) => {
        const json = `{"operations": [${operations.map(textOf).join(',')}]}`;
        const isRepeated = operations.some(
          (fields) => new Set(fields.map(([each]) => each)).size < fields.length,
        );
        const expected = batchRequestSchema.safeParse(JSON.parse(json));
        const isGood = expected.success && !isRepeated;
        expect(read(json)).toEqual(isGood ? expected.data.operations : 'INVALID_ARGUMENT');
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['{"operations":[{"op":"put","key":"a","value":"1","value":"2"}]}', 'value'],
    ['{"operations":[{"op":"get","key":"a"}],"operations":[]}', 'operations'],
    ['{"operations":[{"op":"get","\\u006bey":"a","key":"b"}]}', 'key'],
  ])('says of %s which field is given twice', (json, field) => {
    expect(() => readJsonBatch(Buffer.from(json))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field } }),
    );
  });

  it.each([
    'null',
    '[]',
    '"operations"',
    '{}',
    '{"operations":{}}',
    '{"operations":[],"more":1}',
    '{"operations":[null]}',
  ])('is not %s', (json) => expect(read(json)).toBe('INVALID_ARGUMENT'));
});
