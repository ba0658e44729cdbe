/**
 * The Kubernetes of this machine on which `npm test` tries a few scenarios: a kind cluster called "ringleader" whose kubeconfig
 * stands in the cache of who made it. Never the one that KUBECONFIG names: that may be anybody's.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isHere, load, nodesOf } from '../images/nodes.mjs';
import { root, runtime, runTool } from './prepare.mjs';

const CLUSTER = 'ringleader';
const TAG = 'e2e';
/** Images of Debian packages, where there is no registry to have the public ones from (docs/KUBERNETES.md). */
const STAND_INS = {
  base: 'local/ringleader-base:bookworm',
  postgres: 'local/postgres:15',
  nats: 'local/nats:2.9',
};

const kubeconfig = () => {
  const { KUBERNETES_LAB_CACHE: cache = join(homedir(), '.cache/kubernetes-lab') } = process.env;
  return join(cache, `${CLUSTER}.kubeconfig`);
};

async function whyNot() {
  if (!existsSync(kubeconfig()) || (await nodesOf(CLUSTER)).length === 0)
    return 'no Kubernetes was made on this machine to try this on (docs/KUBERNETES.md)';
  for (const image of Object.values(STAND_INS))
    if (!(await isHere(image))) return `docker has no image ${image} (docs/KUBERNETES.md)`;
  return undefined;
}

/** Builds the image and loads what is needed; answers the environment for the scenarios, or what is missing. */
export async function standIns() {
  const missing = await whyNot();
  if (missing !== undefined) return { missing };
  const flags = ['--base', STAND_INS.base, '--tag', TAG, '--load-kind', CLUSTER];
  const failed = () => 'The image for the scenarios on Kubernetes could not be made.';
  await runTool(runtime(), [join(root, 'tools/bootstrap/images.mjs'), ...flags], failed);
  await load([STAND_INS.postgres, STAND_INS.nats], CLUSTER);
  const env = {
    KUBECONFIG: kubeconfig(),
    RINGLEADER_E2E_IMAGE: `ringleader/ringleader:${TAG}`,
    RINGLEADER_E2E_POSTGRES_IMAGE: STAND_INS.postgres,
    RINGLEADER_E2E_NATS_IMAGE: STAND_INS.nats,
    RINGLEADER_E2E_NAMESPACE: 'ringleader-ci',
  };
  return { env };
}
