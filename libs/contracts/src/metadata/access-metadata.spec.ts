import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareKeys } from '@ringleader/primitives';
import { prefixRange } from '../control/key-ranges.js';
import {
  ROLES,
  allowsPrefix,
  allowsRange,
  grantSchema,
  managesGrants,
  tokenParts,
  tokenText,
} from './access-metadata.js';
import type { Grant } from './access-metadata.js';

const SECRET = 'x'.repeat(43);

describe('a token', () => {
  it('is an id and a secret', () => {
    const parts = { id: 'abcdefgh1234', secret: SECRET };
    expect(tokenParts(tokenText(parts.id, parts.secret))).toEqual(parts);
    expect(tokenParts(tokenText('root', SECRET))).toEqual({ id: 'root', secret: SECRET });
  });

  it.each([
    '',
    'rl_',
    `rl_${SECRET}`,
    `rl_abc_${SECRET}`,
    `rl_abcd_${SECRET}x`,
    `RL_abcd_${SECRET}`,
    `rl_ABCD_${SECRET}`,
  ])('%j is none', (text) => expect(tokenParts(text)).toBe(null));
});

describe('grants', () => {
  const grants: Grant[] = [
    { role: 'read', prefix: 'a/' },
    { role: 'write', prefix: 'b/' },
    { role: 'admin', prefix: 'c/' },
  ];

  it.each([
    ['read', 'a/x', true],
    ['read', 'a/', true],
    ['read', 'a', false],
    ['read', '', false],
    ['write', 'a/x', false],
    ['read', 'b/x', true],
    ['write', 'b/x', true],
    ['admin', 'b/x', false],
    ['read', 'c/x', true],
    ['write', 'c/x', true],
    ['admin', 'c/x/y', true],
    ['read', 'd', false],
  ] as const)('%s %j: %s', (role, prefix, expected) => {
    expect(allowsPrefix(grants, role, prefix)).toBe(expected);
  });

  it('of the empty prefix are for everything', () => {
    const all: Grant[] = [{ role: 'read', prefix: '' }];
    expect(allowsPrefix(all, 'read', '')).toBe(true);
    expect(allowsRange(all, 'read', { start: '', end: null })).toBe(true);
    expect(allowsRange(all, 'write', { start: '', end: null })).toBe(false);
  });

  it.each([
    [{ start: 'a/', end: 'a0' }, true],
    [{ start: 'a/b', end: 'a/c' }, true],
    [{ start: 'a/', end: null }, false],
    [{ start: 'a/', end: 'a1' }, false],
    [{ start: 'a', end: 'a0' }, false],
    [{ start: 'a/', end: 'b/x' }, false],
  ])('of a range: %j: %s', (range, expected) => {
    expect(allowsRange(grants, 'read', range)).toBe(expected);
  });

  /** The obvious way: no key of an allowed range begins otherwise, and none of a refused one's ends is within. */
  it('allow a range only where every key of it is theirs', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '/', '\u{10ffff}', '\ud7ff', 'é'),
      maxLength: 4,
    });
    fc.assert(
      fc.property(text, text, text, text, (prefix, start, end, key) => {
        const one: Grant[] = [{ role: 'read', prefix }];
        const isWithin = compareKeys(key, start) >= 0 && compareKeys(key, end) < 0;
        if (isWithin && allowsRange(one, 'read', { start, end })) expect(key.startsWith(prefix)).toBe(true);
        const { key: from, rangeEnd } = prefixRange(start);
        const whole = { start: from, end: rangeEnd === '' ? null : rangeEnd };
        if (start.startsWith(prefix)) expect(allowsRange(one, 'read', whole)).toBe(true);
      }),
    );
  });

  it('are managed by who administers their prefixes', () => {
    const admin: Grant[] = [{ role: 'admin', prefix: 'app/' }];
    for (const role of ROLES) {
      expect(managesGrants(admin, [{ role, prefix: 'app/x' }])).toBe(true);
      expect(
        managesGrants(admin, [
          { role, prefix: 'app/x' },
          { role, prefix: 'ap' },
        ]),
      ).toBe(false);
      expect(managesGrants([{ role: 'write', prefix: '' }], [{ role, prefix: 'app/' }])).toBe(false);
    }
  });

  it('have prefixes that a key can have', () => {
    expect(grantSchema.safeParse({ role: 'read', prefix: '\ud800' }).success).toBe(false);
    expect(grantSchema.safeParse({ role: 'owner', prefix: '' }).success).toBe(false);
    expect(grantSchema.safeParse({ role: 'read', prefix: 'x'.repeat(1_025) }).success).toBe(false);
  });
});
