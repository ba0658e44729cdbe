/**
 * A hash of all keys that exist, which every change rolls on: the sum of the hashes of their states, so that it depends on
 * nothing but what is there. A state that was compacted, a restart and the way to the state leave no trace in it, and the
 * members that have applied the same log have the same one at each revision.
 *
 * It finds faults of ours and of the hardware, not somebody who wants two states to look alike. Each state is mixed as
 * MurmurHash3 does it (A. Appleby, 2011), in two lanes of 32 bits.
 */
import type { State } from './key-values.js';

/** 64 bits: two signed integers. */
export interface HashLanes {
  readonly a: number;
  readonly b: number;
}

const SEED_A = 0x2f0b4c47;
const SEED_B = 0x6a09e667;
const TWO_TO_32 = 0x1_0000_0000;
/** By the name of a module: a look-up of the global costs more than the product where tests run. */
const { imul } = Math;

export class StateHash {
  #a: number;
  #b: number;

  constructor({ a, b }: HashLanes = { a: 0, b: 0 }) {
    this.#a = a;
    this.#b = b;
  }

  get lanes(): HashLanes {
    return { a: this.#a, b: this.#b };
  }

  /** A key has this state now. */
  add(state: State): void {
    this.#a = (this.#a + hashOf(state, SEED_A)) | 0;
    this.#b = (this.#b + hashOf(state, SEED_B)) | 0;
  }

  /** It had this one. */
  remove(state: State): void {
    this.#a = (this.#a - hashOf(state, SEED_A)) | 0;
    this.#b = (this.#b - hashOf(state, SEED_B)) | 0;
  }
}

/** As people and answers have it: 16 hexadecimal digits. */
export function hashText({ a, b }: HashLanes): string {
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

function hashOf(state: State, seed: number): number {
  let hash = textMixed(seed, state.key);
  hash = packedMixed(hash, state.packed);
  for (const count of [state.createRevision, state.modRevision, state.version, state.lease]) {
    hash = mixed(mixed(hash, count | 0), Math.floor(count / TWO_TO_32));
  }
  return finished(hash);
}

/** Two characters at once. */
function textMixed(seed: number, text: string): number {
  let hash = mixed(seed, text.length);
  const whole = text.length & ~1;
  for (let i = 0; i < whole; i += 2) {
    hash = mixed(hash, text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
  }
  return whole === text.length ? hash : mixed(hash, text.charCodeAt(whole));
}

/** Four at once: each is a byte. */
function packedMixed(seed: number, packed: string): number {
  let hash = mixed(seed, packed.length);
  const whole = packed.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const low = packed.charCodeAt(i) | (packed.charCodeAt(i + 1) << 8);
    const high = packed.charCodeAt(i + 2) | (packed.charCodeAt(i + 3) << 8);
    hash = mixed(hash, low | (high << 16));
  }
  for (let i = whole; i < packed.length; i++) hash = mixed(hash, packed.charCodeAt(i));
  return hash;
}

function mixed(hash: number, word: number): number {
  const scrambled = imul(word, 0xcc9e2d51);
  const turned = imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  const next = hash ^ turned;
  return (imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

function finished(hash: number): number {
  let h = hash;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
