import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = globSync('{*.*,LICENSE,{apps,docs,k8s,libs,tests,tools}/**/*.*}', {
  cwd: root,
  exclude: (name) => ['node_modules', 'dist'].includes(basename(name)),
});
const present = new Set(files);
/** Every end of a path: documents name files from where their readers are. */
const ends = new Set(
  files.flatMap((file) => file.split('/').map((_, at, parts) => parts.slice(at).join('/'))),
);
const folders = new Set(
  files.flatMap((file) => file.split('/').map((_, at, parts) => parts.slice(0, at).join('/'))),
);
const documents = files.filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** What a cluster writes, and what others have. */
const ELSEWHERE = /^(\.ringleader\/)?(cluster|layout|store-corrupt)\.json$|^\/|_test\.go$/;

function namedFiles(text: string): string[] {
  const names = [...text.matchAll(/`([^`\s]+\.(?:ts|mjs|js|md|ya?ml|json|txt|conf|rs|html))`/g)];
  // Braces and asterisks stand for several.
  return names.map(([, name = '']) => name).filter((name) => !/[{}*<]/.test(name) && !ELSEWHERE.test(name));
}

function namedFolders(text: string): string[] {
  const names = [...text.matchAll(/`((?:apps|libs|tests|tools|docs|k8s)\/[\w/.-]+)`/g)];
  return names.map(([, name = '']) => name.replace(/\/$/, ''));
}

describe('documents', () => {
  it('name files that there are', () => {
    const absent = (document: string): string[] =>
      namedFiles(read(document)).filter((name) => !ends.has(name));
    expect(documents.flatMap((document) => absent(document).map((name) => [document, name]))).toEqual([]);
  });

  it('name folders that there are', () => {
    const isThere = (name: string): boolean => folders.has(name) || ends.has(name) || ELSEWHERE.test(name);
    const absent = (document: string): string[] =>
      namedFolders(read(document)).filter((name) => !isThere(name));
    expect(documents.flatMap((document) => absent(document).map((name) => [document, name]))).toEqual([]);
  });

  it('link to files and headings that there are', () => {
    const absent = (document: string): string[] =>
      [...read(document).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#');
          const file = path === '' ? document : normalize(join(dirname(document), path)).replace(/\/$/, '');
          if (!present.has(file)) return !folders.has(file);
          return anchor !== undefined && !headings(read(file)).includes(anchor);
        });
    expect(documents.flatMap((document) => absent(document).map((name) => [document, name]))).toEqual([]);
  });
});

/** As anchors. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
