import { dirname } from 'node:path';

/**
 * Tells Nx which files a package consists of, for `@nx/dependency-checks`: that rule reads the inputs of a target. Nobody runs
 * it (docs/adr/0008-nx-only-lints.md). Suites consist of tests; elsewhere tests have `devDependencies`.
 */
const SOURCES = ['{projectRoot}/**/*', '!{projectRoot}/dist/**'];
const NO_TESTS = ['!{projectRoot}/**/*spec.ts', '!{projectRoot}/test/**'];

export const name = 'ringleader-package-sources';

export const createNodesV2 = [
  '{apps,libs,tests,tools}/**/package.json',
  (files) =>
    files.map((file) => {
      const root = dirname(file);
      const inputs = root.startsWith('tests/') ? SOURCES : [...SOURCES, ...NO_TESTS];
      const targets = { sources: { executor: 'nx:noop', inputs } };
      return [file, { projects: { [root]: { root, targets } } }];
    }),
];
