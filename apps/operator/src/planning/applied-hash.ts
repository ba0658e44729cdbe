/**
 * The hash of what was applied, as it stands in an annotation: in three parts, so that one can tell whether pods would be made anew
 * (template), or whether the object cannot be changed at all (claims of a StatefulSet), from what is seen of it.
 */
import { createHash } from 'node:crypto';
import type { Manifest } from './types.js';

export const APPLIED_HASH_ANNOTATION = 'ringleader.io/applied-hash';
const DIGITS = 12;

interface Parts {
  readonly template: string;
  readonly claims: string;
}

export function appliedHash(manifest: Manifest): string {
  const { template, volumeClaimTemplates } = (manifest['spec'] ?? {}) as Readonly<Record<string, unknown>>;
  return [template, volumeClaimTemplates, manifest].map(digest).join('-');
}

/** How two hashes differ. A hash that is none has nothing in common with another. */
export function difference(before: string, after: string): { readonly [Part in keyof Parts]: boolean } {
  const [old, young] = [partsOf(before), partsOf(after)];
  return { template: old?.template !== young?.template, claims: old?.claims !== young?.claims };
}

function partsOf(hash: string): Parts | null {
  const [template, claims, rest] = hash.split('-');
  return template === undefined || claims === undefined || rest === undefined ? null : { template, claims };
}

function digest(value: unknown): string {
  if (value === undefined) return 'none';
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, DIGITS);
}

/** The order of names says nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
