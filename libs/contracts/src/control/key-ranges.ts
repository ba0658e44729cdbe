/** A range of the coordinator's keys, as its requests name it. */
export interface CoordinatorKeyRange {
  readonly key: string;
  readonly rangeEnd: string;
}

const LAST_CODE_POINT = 0x10ffff;
const LAST_BEFORE_SURROGATES = 0xd7ff;
const FIRST_AFTER_SURROGATES = 0xe000;

/** All keys that begin with `prefix`: those before the next string of the same length, in the order of code points. */
export function prefixRange(prefix: string): CoordinatorKeyRange {
  const codePoints = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (codePoints.at(-1) === LAST_CODE_POINT) codePoints.pop();
  const last = codePoints.pop();
  if (last === undefined) return { key: prefix, rangeEnd: '' };
  const next = last === LAST_BEFORE_SURROGATES ? FIRST_AFTER_SURROGATES : last + 1;
  return { key: prefix, rangeEnd: String.fromCodePoint(...codePoints, next) };
}

/** The smallest key behind this one: where the next page of a range begins. */
export const keyAfter = (key: string): string => `${key}\0`;
