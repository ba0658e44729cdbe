import { describe, expect, it } from '@jest/globals';
import { keyAfter, prefixRange } from './key-ranges.js';

describe('prefixRange', () => {
  it.each([
    ['a', 'b'],
    ['/ringleader/', '/ringleader0'],
    ['a\u{10ffff}', 'b'],
    ['\ud7ff', '\ue000'],
    ['\uffff', '\u{10000}'],
    ['x\u{1f600}', 'x\u{1f601}'],
  ])('ends %j before %j', (prefix, rangeEnd) => {
    expect(prefixRange(prefix)).toEqual({ key: prefix, rangeEnd });
  });

  it('has no end when nothing stands behind the prefix', () => {
    expect(prefixRange('')).toEqual({ key: '', rangeEnd: '' });
    expect(prefixRange('\u{10ffff}')).toEqual({ key: '\u{10ffff}', rangeEnd: '' });
  });
});

describe('keyAfter', () => {
  it('is the key with the smallest character appended', () => {
    expect(keyAfter('a')).toBe('a\u0000');
  });
});
