import { createRequire } from 'node:module';

// One-shot runs: no daemon is left behind, and none that is stale is asked.
process.env.NX_DAEMON = 'false';

const require = createRequire(import.meta.url);

/** The plugin with the boundary rule. (CommonJS, and read after the setting above.) */
export const nx = require('@nx/eslint-plugin');

/**
 * The boundary rule reads Nx's project graph from its cache and, when there is none, passes everything. So the graph
 * is computed before any file is linted.
 */
export async function ensureProjectGraph() {
  const { createProjectGraphAsync } = require('@nx/devkit');
  await createProjectGraphAsync({ exitOnError: false });
}
