import { existsSync } from 'node:fs';
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
