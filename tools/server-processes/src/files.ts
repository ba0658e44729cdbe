import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The checkout that this file, or what was built from it, belongs to. */
export const workspaceRoot = (): string => join(import.meta.dirname, '../../..');

/** Programs of others that were fetched for this checkout. */
export const toolsDirectory = (): string => join(workspaceRoot(), '.tools');

/**
 * Replaces a small file whole, for its owner's eyes: readers find the old text or the new one. Proof against power cuts only
 * with `flush`.
 */
export function replaceFile(path: string, text: string, { flush = false } = {}): void {
  // Made anew: a file that exists would keep the mode that it has.
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush });
  renameSync(`${path}.new`, path);
}

/** The secret in a file for its owner's eyes only; one is made if there is none, or a torn one. */
export function keptText(path: string, form: RegExp, make: () => string): string {
  const kept = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  if (form.test(kept)) return kept;
  const fresh = make();
  replaceFile(path, `${fresh}\n`, { flush: true });
  return fresh;
}

export const keptPassword = (path: string): string =>
  keptText(path, /^[\w-]{16,}$/, () => randomBytes(24).toString('base64url'));
