import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './commands.mjs';
import { Failure } from './failure.mjs';

const REQUIRED = [20, 19];
/** From here on the host's own Node runs the services; below, the one that npm brought (package.json, optionalDependencies). */
const GOOD_ENOUGH = 24;

function hostVersion() {
  return process.versions.node.split('.').map(Number);
}

export function requireNode() {
  const [major, minor] = hostVersion();
  if (major > REQUIRED[0] || (major === REQUIRED[0] && minor >= REQUIRED[1])) return;
  throw new Failure(
    `Node ${REQUIRED.join('.')} or newer is needed, and this is ${process.versions.node}: install a newer one.`,
  );
}

/** The Node that runs everything but this bootstrap. */
export function runtime() {
  if (hostVersion()[0] >= GOOD_ENOUGH) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  // The packages of some platforms are published under another name.
  const packages = [`node-${platform}`, `node-bin-${platform}`].map((name) =>
    join(root, 'node_modules', name, 'bin', 'node'),
  );
  const pinned = packages.find((path) => existsSync(path));
  if (pinned !== undefined) return pinned;
  throw new Failure(
    `There is no packaged Node for ${platform}, and ${process.versions.node} is too old to run the services: install Node ${GOOD_ENOUGH} or newer.`,
  );
}
