/**
 * Randomness is an argument everywhere in the cores, so that a seed fixes a whole run.
 * xoshiro128** (Blackman, Vigna: "Scrambled linear pseudorandom number generators", 2021), seeded by splitmix32.
 */
export interface Prng {
  /** A uniformly distributed integer, 0 <= n < 2^32. */
  nextUint32(): number;
  /** A uniformly distributed float, 0 <= x < 1. */
  nextFloat(): number;
  /** A uniformly distributed integer, 0 <= n < bound. `bound` is a positive integer below 2^32. */
  nextBelow(bound: number): number;
}

export function seededPrng(seed: number): Prng {
  let mixer = seed >>> 0;
  const splitmix32 = (): number => {
    mixer = (mixer + 0x9e3779b9) >>> 0;
    let z = mixer;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitmix32();
  let b = splitmix32();
  let c = splitmix32();
  let d = splitmix32();
  const rotateLeft = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0;
  const nextUint32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5) >>> 0, 7), 9) >>> 0;
    const t = (b << 9) >>> 0;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotateLeft(d >>> 0, 11);
    return result;
  };
  const nextFloat = (): number => nextUint32() / 0x1_0000_0000;
  return { nextUint32, nextFloat, nextBelow: (bound) => Math.floor(nextFloat() * bound) };
}
