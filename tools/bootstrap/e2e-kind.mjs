/** Makes a kind cluster with three workers, builds and loads the image, runs all scenarios, and deletes the cluster. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScenarios } from './e2e.mjs';
import { Failure, reportingFailures } from './failure.mjs';
import { prepare, root, runtime } from './prepare.mjs';

const CLUSTER = 'ringleader-e2e';
const NODES = ['control-plane', 'worker', 'worker', 'worker'].map((role) => `  - role: ${role}`).join('\n');
const CONFIG = `kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n${NODES}\n`;
const IMAGE = 'ringleader/ringleader:e2e';

async function run(command, args, input = '') {
  const child = spawn(command, args, { cwd: root, stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(child, 'exit').catch((error) => {
    throw new Failure(`${command} is missing (${error.message}): install it.`);
  });
  child.stdin.on('error', () => undefined).end(input);
  const [code] = await ended;
  if (code !== 0) throw new Failure(`${command} ${args[0]} failed; what it said stands above.`);
}

async function buildAndLoad() {
  const program = join(root, 'tools/bootstrap/images.mjs');
  for (const tag of ['e2e', 'e2e-next'])
    await run(runtime(), [program, '--tag', tag, '--load-kind', CLUSTER]);
}

await reportingFailures(async () => {
  const args = process.argv.slice(2);
  await prepare(['libs/testing/local-cluster', 'apps/operator']);
  const folder = await mkdtemp(join(tmpdir(), 'ringleader-kind-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const named = ['cluster', '--name', CLUSTER, '--kubeconfig', kubeconfig];
  try {
    await run('kind', ['create', ...named, '--wait', '180s', '--config', '-'], CONFIG);
    await buildAndLoad();
    return await runScenarios(args, { KUBECONFIG: kubeconfig, RINGLEADER_E2E_IMAGE: IMAGE });
  } finally {
    await run('kind', ['delete', ...named]);
    await rm(folder, { recursive: true, force: true });
  }
}, 'The scenarios cannot run');
