import { describe, expect, it } from '@jest/globals';
import { parseLine } from './import-line.js';

const parsed = (text: string) => parseLine({ number: 1, end: text.length, content: { kind: 'text', text } });

describe('a line of an import', () => {
  it.each([
    ['{"key":"k","value":"zwölf"}', { op: 'put', key: 'k', value: 'zwölf' }],
    ['{"valueBase64":"/w==","key":"k"}', { op: 'put', key: 'k', value: Buffer.from([255]) }],
    ['{"key":"k","value":"","contentType":"a/b"}', { op: 'put', key: 'k', value: '', contentType: 'a/b' }],
  ])('%s is a put', (text, operation) => {
    expect(parsed(text)).toEqual({ kind: 'put', operation, bytes: expect.any(Number) });
  });

  it.each([
    ['{"key":"\\ud800","value":"v"}', '"key" holds half a surrogate pair, so it is not UTF-8 text'],
    ['{"key":"k","value":"\\udc00"}', '"value" holds half a surrogate pair, so it is not UTF-8 text'],
    [
      '{"key":"k","value":"v","contentType":"\\ud800"}',
      '"contentType" holds half a surrogate pair, so it is not UTF-8 text',
    ],
    ['{"key":"k","valueBase64":"_w=="}', '"valueBase64" is not base64 with padding (RFC 4648, section 4)'],
    ['{"key":"k","valueBase64":"/w"}', '"valueBase64" is not base64 with padding (RFC 4648, section 4)'],
    ['{"key":"k","value":"v","value":"w"}', 'the field "value" is there twice'],
    ['{"key":"k","value":"v","\\u006bey":"w"}', 'the field "key" is there twice'],
    ['{"key":"k","value":"v","valueBase64":""}', 'either "value" or "valueBase64" must be there'],
    ['{"key":"k","value":"v","__proto__":"x"}', 'the field "__proto__" is unknown'],
    ['[]', 'the line is not a JSON object'],
  ])('%s is refused', (text, detail) => {
    expect(parsed(text)).toEqual({ kind: 'refused', refusal: { line: 1, code: 'INVALID_LINE', detail } });
  });
});
