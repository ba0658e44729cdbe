/** Quantities of Kubernetes (`500m`, `1Gi`, `1e3`), as far as it takes to see that two are the same. */

const FORM = /^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** The smallest unit there is. */
const NANO = 9;

/** In billionths; null for what is no quantity, or finer than there is. */
export function nanosOf(text: string): bigint | null {
  const [, number, suffix = ''] = FORM.exec(text) ?? [];
  if (number === undefined) return null;
  const [whole = '', fraction = ''] = number.split('.');
  const power = BINARY.indexOf(suffix) + 1;
  const exponent = /^[eE][+-]?\d/.test(suffix) ? Number(suffix.slice(1)) : (DECIMAL[suffix] ?? 0);
  const shift = NANO + exponent - fraction.length;
  if (shift < 0) return null;
  return BigInt(whole + fraction) * 10n ** BigInt(shift) * 1_024n ** BigInt(power);
}

export function isSameQuantity(a: unknown, b: unknown): boolean {
  const [first, second] = [a, b].map((value) =>
    typeof value === 'string' || typeof value === 'number' ? nanosOf(String(value)) : null,
  );
  return first !== null && first === second;
}
