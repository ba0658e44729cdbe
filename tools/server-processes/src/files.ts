import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this file belongs to: the nearest folder above that holds pnpm-workspace.yaml. */
export function workspaceRoot(from = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
    if (folder === dirname(folder)) throw new Error(`${from} is not inside a checkout of Ringleader`);
  }
}

/** Programs of others that were fetched for this checkout. */
export function toolsDirectory(root = workspaceRoot()): string {
  return join(root, '.tools');
}

/**
 * Replaces a small file whole, for its owner's eyes: readers find the old text or the new one. Proof against power cuts only
 * with `flush`.
 */
export function replaceFile(path: string, text: string, { flush = false } = {}): void {
  // Made anew: a file that exists would keep the mode that it has.
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush });
  renameSync(`${path}.new`, path);
}

const PASSWORD_BYTES = 24;

/** The password in a file for its owner's eyes only; one is made if there is none, or a torn one. */
export function keptPassword(path: string): string {
  const kept = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  if (/^[\w-]{16,}$/.test(kept)) return kept;
  const fresh = randomBytes(PASSWORD_BYTES).toString('base64url');
  replaceFile(path, `${fresh}\n`, { flush: true });
  return fresh;
}
