import { describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { CHECKS, missingFor, run } from './checks.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Only where somebody says so: KUBECONFIG may name a cluster that has nothing to do with this. */
const { PATH: path = '', RINGLEADER_MANIFESTS_CLUSTER: cluster = 'no' } = process.env;

const checks = CHECKS.map((check) => {
  const missing = missingFor(check, { path, hasCluster: cluster === 'yes' });
  return { check, missing, title: missing === null ? check.name : `${check.name} (not run: ${missing})` };
});

describe('the programs of others accept', () => {
  it.each(checks)('$title', async ({ check, missing }) => {
    if (missing === null) await run(check, root);
    expect(check.programs.length).toBeGreaterThan(0);
  });
});
