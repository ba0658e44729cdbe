import { describe, expect, it } from '@jest/globals';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** One mistake for each check: the file, what is right in it, and what is wrong. */
const MISTAKES: Readonly<Record<string, readonly [file: string, right: string, wrong: string]>> = {
  'rules and their tests': ['k8s/monitoring/alerts.yaml', 'expr: ', 'expr: )'],
  schemas: ['k8s/base/operator.yaml', '  replicas: 2', '  replica: 2'],
  'the chart': ['k8s/helm/ringleader/templates/operator.yaml', '{{ ', '{{ nothing '],
  kustomizations: ['k8s/base/kustomization.yaml', '- namespace.yaml', '- namespaces.yaml'],
  'the API server': ['k8s/samples/small.yaml', 'partitions: 64', 'partitions: 65'],
};

describe('the programs of others refuse what is wrong', () => {
  it.each(checks)('$title', async ({ check, missing }) => {
    const [file, right, wrong] = MISTAKES[check.name] ?? ['', '', ''];
    const text = await readFile(join(root, file), 'utf8');
    expect(text).toContain(right);
    if (missing !== null) return;
    const copy = await mkdtemp(join(tmpdir(), 'ringleader-mistake-'));
    try {
      for (const folder of ['k8s', 'tools/manifests/testdata'])
        await cp(join(root, folder), join(copy, folder), { recursive: true });
      await writeFile(join(copy, file), text.replace(right, wrong));
      await expect(run(check, copy)).rejects.toThrow(check.programs[0]);
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});
