import { dirname } from 'node:path';

/**
 * Every package of the workspace has the same four targets, so no package.json needs to repeat them.
 * What they do stands in nx.json under `targetDefaults`.
 */
const TARGETS = { build: {}, typecheck: {}, lint: {}, test: {} };

export const name = 'ringleader-targets';

export const createNodesV2 = [
  '{apps,libs,tests,tools}/**/package.json',
  (files) =>
    files.map((file) => {
      const root = dirname(file);
      return [file, { projects: { [root]: { root, targets: structuredClone(TARGETS) } } }];
    }),
];
