/**
 * Nodes that are containers of this docker, as kind makes them, and how an image gets into them without a registry. What
 * `kind load` does, too; it is not needed for it.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Failure } from '../bootstrap/failure.mjs';

const CLUSTER_LABEL = 'io.x-k8s.kind.cluster';
const ROLE_LABEL = 'io.x-k8s.kind.role';
const IMPORT = ['ctr', '--namespace', 'k8s.io', 'images', 'import', '--all-platforms', '--digests'];

async function docker(...args) {
  const { stdout } = await promisify(execFile)('docker', args);
  return stdout.trim();
}

/** Names of those that run pods; empty where there is no such cluster, or no docker. */
export async function nodesOf(cluster) {
  const format = `{{.Names}} {{.Label "${ROLE_LABEL}"}}`;
  const filter = `label=${CLUSTER_LABEL}=${cluster}`;
  const text = await docker('ps', '--filter', filter, '--format', format).catch(() => '');
  const nodes = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
  const workers = nodes.filter(([, role]) => role === 'worker');
  return (workers.length > 0 ? workers : nodes).map(([name]) => name);
}

export async function isHere(image) {
  return docker('image', 'inspect', '--format', '{{.Id}}', image).then(
    () => true,
    () => false,
  );
}

/** One after the other: together they only wait for the same disk. */
export async function load(images, cluster) {
  const nodes = await nodesOf(cluster);
  if (nodes.length === 0) throw new Failure(`There is no kind cluster "${cluster}" on this machine.`);
  for (const node of nodes) {
    const save = spawn('docker', ['save', ...images], { stdio: ['ignore', 'pipe', 'inherit'] });
    const flags = ['--snapshotter', 'overlayfs', '-'];
    const take = spawn('docker', ['exec', '--interactive', node, ...IMPORT, ...flags], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const [code] = await Promise.all([once(take, 'exit'), pipeline(save.stdout, take.stdin)]).then(
      ([exit]) => exit,
    );
    if (code !== 0) throw new Failure(`The node ${node} did not take ${images.join(', ')}.`);
  }
}
