import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly name: string;
  readonly exports?: unknown;
  readonly bin?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), 'utf8')) as T;

const folders = globSync('{apps,libs,tests,tools}/**/package.json', {
  cwd: root,
  exclude: (name) => ['node_modules', 'dist'].includes(name),
}).map(dirname);
const packages = folders.map((folder) => ({ folder, ...read<Manifest>(join(folder, 'package.json')) }));

/** The files that `exports` or `bin` lead to, whatever the conditions. */
function filesIn(entry: unknown): string[] {
  if (typeof entry === 'string') return [entry];
  return typeof entry === 'object' && entry !== null ? Object.values(entry).flatMap(filesIn) : [];
}

/** Of a file that the build makes: what it is made from. */
const sourceOf = (file: string): string =>
  file.replace(/^(\.\/)?dist\//, './src/').replace(/(\.d\.ts|\.js)$/, '.ts');

describe.each(packages)('$name', ({ folder, exports, bin, dependencies, devDependencies }) => {
  it('exports only files that are there, or are made from some that are', () => {
    const files = [...filesIn(exports), ...filesIn(bin)];
    const missing = files.filter(
      (file) => !existsSync(join(root, folder, file)) && !existsSync(join(root, folder, sourceOf(file))),
    );
    expect(missing).toEqual([]);
  });

  it('is built after the packages that it uses, and no others', () => {
    const config = join(folder, 'tsconfig.json');
    if (!existsSync(join(root, config))) return;
    const { references = [] } = read<{ references?: { path: string }[] }>(config);
    const folderOf = (name: string) => packages.find((candidate) => candidate.name === name)?.folder;
    const used = Object.keys(dependencies ?? {}).map(folderOf);
    const usedByTests = Object.keys(devDependencies ?? {}).map(folderOf);
    const built = references.map(({ path }) => normalize(join(folder, path)));
    expect(built).toEqual(expect.arrayContaining(used.filter((name) => name !== undefined)));
    expect(built.filter((name) => ![...used, ...usedByTests].includes(name))).toEqual([]);
  });
});
