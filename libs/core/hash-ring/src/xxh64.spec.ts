import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { xxh64 } from './xxh64.js';

interface KnownAnswers {
  official: { len: number; seed: number; xxh64: string }[];
  generated: { len: number; seed: string; xxh64: string }[];
  strings: { s: string; xxh64_seed0: string }[];
}

const known = JSON.parse(
  readFileSync(new URL('../../../testing/fixtures/known-answers/xxhash.json', import.meta.url), 'utf8'),
) as KnownAnswers;

/** The generator of xxHash's own sanity check, as the fixture describes it. */
function sanityBuffer(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let generator = 2654435761n;
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(generator >> 56n);
    generator = BigInt.asUintN(64, generator * 11400714785074694797n);
  }
  return bytes;
}

const hex = (hash: bigint): string => hash.toString(16).padStart(16, '0');

describe('xxh64', () => {
  it('gives the values of the reference implementation for every length and seed known', () => {
    for (const { len, seed, xxh64: expected } of [...known.official, ...known.generated]) {
      expect({ len, seed, hash: hex(xxh64(sanityBuffer(len), BigInt(seed))) }).toEqual({
        len,
        seed,
        hash: expected,
      });
    }
  });

  it('hashes strings as their UTF-8', () => {
    for (const { s, xxh64_seed0: expected } of known.strings) {
      expect({ s, hash: hex(xxh64(s)) }).toEqual({ s, hash: expected });
    }
  });

  it('treats a lone surrogate as U+FFFD, as TextEncoder does', () => {
    expect(xxh64('a\ud800b')).toBe(xxh64('a\ufffdb'));
  });
});
