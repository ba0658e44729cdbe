/** Writes the generated files, and says which ones have changed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generatedFiles } from './generated-files.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const { values } = parseArgs({ options: { runbooks: { type: 'string' } } });

for (const [path, text] of await generatedFiles(root, values)) {
  const target = join(root, path);
  if ((await textOf(target)) === text) continue;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
  console.log(`wrote ${path}`);
}
