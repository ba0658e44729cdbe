import type { Prng } from '@ringleader/primitives';
import {
  COMPARE_RESULTS,
  type Command,
  type Compare,
  NUMERIC_TARGETS,
  type Operation,
  type ReadOptions,
  SORT_FIELDS,
} from '../src/commands.js';
import type { KeyRange } from '../src/key-range.js';
import { type NaiveStore, TERM } from './naive-store.js';

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/\u{1f600}', 'b/\uff5e', 'c', '\u{10ffff}', 'é'];
/** Not all of them are UTF-8. */
const VALUES = [[], [0], [0x61], [0x61, 0], [0x62], [0xff], [0xff, 0xfe, 1, 2, 3]].map((bytes) =>
  Uint8Array.from(bytes),
);
const DEPTH_MAX = 3;
const WANTED_MAX = 2 ** 53 - 1;

export function pick<Item>(prng: Prng, items: readonly Item[]): Item {
  return items[prng.nextBelow(items.length)] as Item;
}

const oneIn = (prng: Prng, count: number): boolean => prng.nextBelow(count) === 0;

export function randomRange(prng: Prng): KeyRange {
  const key = pick(prng, KEYS);
  return { key, rangeEnd: pick(prng, [null, null, '', pick(prng, KEYS)]) };
}

export function randomOptions(prng: Prng, model: NaiveStore): ReadOptions {
  const bound = (): number => (oneIn(prng, 5) ? prng.nextBelow(model.revision + 1) : 0);
  return {
    revision: 0,
    limit: prng.nextBelow(4),
    sortBy: oneIn(prng, 2) ? 'key' : pick(prng, SORT_FIELDS),
    isDescending: oneIn(prng, 3),
    keysOnly: oneIn(prng, 5),
    countOnly: oneIn(prng, 8),
    minModRevision: bound(),
    maxModRevision: bound(),
    minCreateRevision: bound(),
    maxCreateRevision: bound(),
  };
}

/** Nearly always one that exists, or the next. */
function randomLease(prng: Prng, model: NaiveStore): number {
  const [first = 1] = [...model.leases.keys()].slice(prng.nextBelow(model.leases.size + 1));
  return oneIn(prng, 6) ? model.lastLease + 1 : first;
}

function randomOperation(prng: Prng, model: NaiveStore, depth: number): Operation {
  const draw = prng.nextBelow(20);
  const wantsPrevious = oneIn(prng, 2);
  if (draw < 11) {
    const value = oneIn(prng, 6) ? null : pick(prng, VALUES);
    const lease = pick(prng, [0, 0, 0, null, randomLease(prng, model)]);
    return { kind: 'put', key: pick(prng, KEYS), value, lease, wantsPrevious };
  }
  if (draw < 15) return { kind: 'delete', ...randomRange(prng), wantsPrevious };
  if (draw < 17 && depth > 0) return { kind: 'txn', ...randomBranches(prng, model, depth - 1) };
  const revision = oneIn(prng, 3) ? prng.nextBelow(model.revision + 2) : 0;
  return { kind: 'range', ...randomRange(prng), ...randomOptions(prng, model), revision };
}

function randomCompare(prng: Prng, model: NaiveStore): Compare {
  const range = randomRange(prng);
  const result = pick(prng, COMPARE_RESULTS);
  const target = pick(prng, [...NUMERIC_TARGETS, 'value'] as const);
  if (target === 'value') return { ...range, result, target, operand: pick(prng, VALUES) };
  return { ...range, result, target, operand: prng.nextBelow(model.revision + 2) };
}

function randomBranches(
  prng: Prng,
  model: NaiveStore,
  depth: number,
): { compare: Compare[]; success: Operation[]; failure: Operation[] } {
  const operations = (): Operation[] =>
    Array.from({ length: prng.nextBelow(4) }, () => randomOperation(prng, model, depth));
  const compare = Array.from({ length: prng.nextBelow(3) }, () => randomCompare(prng, model));
  return { compare, success: operations(), failure: operations() };
}

export function randomCommand(prng: Prng, model: NaiveStore): Command {
  const draw = prng.nextBelow(22);
  if (draw < 2) {
    const wanted = pick(prng, [0, 0, randomLease(prng, model), prng.nextBelow(50), WANTED_MAX]);
    return { kind: 'leaseGrant', ttlMs: 1_000, wanted };
  }
  if (draw < 3) return { kind: 'leaseRevoke', lease: randomLease(prng, model) };
  if (draw < 4) {
    const leases = [randomLease(prng, model), randomLease(prng, model)];
    const asOf = Math.max(0, model.wantedGrants - prng.nextBelow(3));
    return { kind: 'leaseExpire', leases, term: TERM - prng.nextBelow(2), asOf };
  }
  if (draw < 5) {
    const kept = model.revision - model.compacted;
    return { kind: 'compact', revision: Math.max(model.compacted - 1, 0) + prng.nextBelow(kept + 3) };
  }
  if (draw < 6) {
    const sizeBytesMax = oneIn(prng, 2) ? 0 : model.sizeBytes + prng.nextBelow(300);
    return { kind: 'limitSize', sizeBytesMax, exemptPrefix: pick(prng, ['', KEYS[0] as string]) };
  }
  return { kind: 'txn', ...randomBranches(prng, model, DEPTH_MAX) };
}
