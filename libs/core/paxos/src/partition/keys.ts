import { compareKeys } from '@ringleader/primitives';

/** The lesser of two ends of a range; null is "no end". */
export function leastEnd(a: string | null, b: string | null): string | null {
  if (a === null) return b;
  if (b === null) return a;
  return compareKeys(a, b) <= 0 ? a : b;
}
