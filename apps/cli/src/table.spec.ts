import { describe, expect, it } from '@jest/globals';
import { shown } from './table.js';

describe('shown', () => {
  it.each([
    ['plain', 'plain'],
    ['with space, ä and {"json": 1}', 'with space, ä and {"json": 1}'],
    ['two\nlines\tand a tab', '"two\\nlines\\tand a tab"'],
    ['\u001b[31mred', '"\\u001b[31mred"'],
    ['\u007f\u009b2J', '"\\u007f\\u009b2J"'],
    ['"quoted"', '"\\"quoted\\""'],
  ])('makes one harmless line of %j, which tells it from all others', (text, expected) => {
    expect(shown(text)).toBe(expected);
    if (expected !== text) expect(JSON.parse(expected)).toBe(text);
  });
});
