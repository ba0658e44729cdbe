import { describe, expect, it } from '@jest/globals';
import { fieldsWritten, repeatedField } from './repeated-field.js';

describe('repeatedField', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"b":{"c":[{"d":1 , "e":2,\n"d"\t:3}]}}', 'd'],
    ['{"":1,"":2}', ''],
    [String.raw`{"\u0061":1,"a":2}`, 'a'],
    [String.raw`{"a\"":1,"a\"":2}`, 'a"'],
    [String.raw`{"a\\":1,"a\\":2}`, String.raw`a` + '\\'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['[[{"a":[]}],{"b":{},"b":{}}]', 'b'],
  ])('finds it in %s', (json, name) => {
    expect(JSON.parse(json)).toBeDefined();
    expect(repeatedField(json)).toBe(name);
  });

  it.each([
    '{}',
    '[]',
    '"a"',
    '1',
    '{"a":"a","b":"a"}',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":["a","a"],"b":[{"a":1}]}',
    String.raw`{"a":"\",\"a\":","b":"{\"a\":1,\"a\":2}"}`,
    String.raw`{"a":"\\","b":"\\\\\""}`,
    '{"a":"}{][","b":"{"}',
    '{"toString":1,"constructor":2}',
  ])('finds none in %s', (json) => {
    expect(JSON.parse(json)).toBeDefined();
    expect(repeatedField(json)).toBeNull();
  });
});

describe('fieldsWritten', () => {
  it.each([
    ['{}', 0],
    ['["a","b"]', 0],
    ['{"a":"a","b":["c"]}', 2],
    ['{"a":1,"a":2}', 2],
    [String.raw`[{"a\"":"\"b\":"},{"" : {"\\":"}{:"}}]`, 3],
  ])('counts %s', (json, count) => {
    expect(JSON.parse(json)).toBeDefined();
    expect(fieldsWritten(json)).toBe(count);
  });
});
