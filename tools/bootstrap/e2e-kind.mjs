/** Makes a kind cluster with three workers, builds and loads the image, runs all scenarios, and deletes the cluster. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScenarios } from './e2e.mjs';
import { reportingFailures } from './failure.mjs';
import { prepare, root, runShown, runTool, runtime } from './prepare.mjs';

const CLUSTER = 'ringleader-e2e';
const NODES = ['control-plane', 'worker', 'worker', 'worker'].map((role) => `  - role: ${role}`).join('\n');
const CONFIG = `kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n${NODES}\n`;
const IMAGE = 'ringleader/ringleader:e2e';

async function buildAndLoad() {
  const program = join(root, 'tools/bootstrap/images.mjs');
  for (const tag of ['e2e', 'e2e-next'])
    await runShown(runtime(), [program, '--tag', tag, '--load-kind', CLUSTER]);
}

async function onKind(kubeconfig, action) {
  const named = ['cluster', '--name', CLUSTER, '--kubeconfig', kubeconfig];
  await runShown('kind', ['create', ...named, '--wait', '180s', '--config', '-'], CONFIG);
  try {
    return await action();
  } finally {
    // What came of the scenarios is not hidden by it.
    await runShown('kind', ['delete', ...named]).catch(({ message }) => console.error(message));
  }
}

await reportingFailures('The scenarios cannot run', async () => {
  const args = process.argv.slice(2);
  // Before minutes are spent on a build.
  await runTool('kind', ['version'], () => 'kind does not run; what it said stands above.');
  await prepare(['libs/testing/local-cluster', 'apps/operator']);
  const folder = await mkdtemp(join(tmpdir(), 'ringleader-kind-'));
  const kubeconfig = join(folder, 'kubeconfig');
  try {
    return await onKind(kubeconfig, async () => {
      await buildAndLoad();
      return runScenarios(args, { KUBECONFIG: kubeconfig, RINGLEADER_E2E_IMAGE: IMAGE });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
