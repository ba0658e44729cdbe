import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { root } from './commands.mjs';

const SKIPPED = new Set(['node_modules', 'dist', '.nx', '.ringleader', '.tools', 'testdata']);
const PACKAGE_FOLDERS = ['apps', 'libs', 'tests', 'tools'];

/** All files of the workspace's packages for which `wanted(name)` holds, in a fixed order. */
export async function packageFiles(wanted, folders = PACKAGE_FOLDERS) {
  const found = [];
  const visit = async (folder) => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) await visit(path);
      else if (entry.isFile() && wanted(entry.name)) found.push(path);
    }
  };
  for (const folder of folders) await visit(join(root, folder));
  return found;
}

export async function contentFingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(relative(root, file))
      .update('\0')
      .update(await readFile(file));
  return hash.digest('hex');
}

/** Cheaper than reading: what no editor, checkout or generator changes without touching time or size. */
export async function statFingerprint(files) {
  const hash = createHash('sha256');
  const stats = await Promise.all(files.map((file) => stat(file)));
  files.forEach((file, i) => hash.update(`${relative(root, file)}\0${stats[i].mtimeMs}\0${stats[i].size}\0`));
  return hash.digest('hex');
}

/** Remembers that a step was done for a fingerprint, in node_modules: gone with what it speaks of. */
export class Stamp {
  constructor(name) {
    this.path = join(root, 'node_modules', '.cache', `ringleader-${name}.stamp`);
  }

  async matches(fingerprint) {
    try {
      return (await readFile(this.path, 'utf8')) === fingerprint;
    } catch (error) {
      if (error.code === 'ENOENT') return false;
      throw error;
    }
  }

  async write(fingerprint) {
    await mkdir(dirname(this.path), { recursive: true });
    await writeFile(this.path, fingerprint);
  }
}
