import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { StartError } from './child.js';

const run = promisify(execFile);

/** PostgreSQL refuses to run as root; this says how to start it nevertheless. */
export interface Unprivileged {
  /** Put before the command line; empty for an ordinary user. */
  readonly prefix: readonly string[];
  /** Who must own the files, when that is not the present user. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

const NOBODY = 65534;

async function works(command: readonly string[]): Promise<boolean> {
  const [file, ...args] = command;
  if (file === undefined) return false;
  return run(file, args).then(
    () => true,
    () => false,
  );
}

/**
 * As root, a user namespace in which root's files belong to an ordinary user needs no account and no change of
 * ownership. Where namespaces are refused (Docker's default profile), the process drops to `nobody` instead, who keeps
 * the right to pass any folder: the programs and the data may lie below one that is root's alone (/root, mktemp -d).
 */
export async function unprivileged({ namespaces = true } = {}): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const namespace = ['unshare', '-U', '--map-user=1000', '--map-group=1000'];
  if (namespaces && (await works([...namespace, 'true']))) return { prefix: namespace };
  const account = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  // access(2), by which PostgreSQL looks for its own programs, asks for the right only where this is set.
  const heeded = '--securebits=+no_setuid_fixup';
  const owner = { uid: NOBODY, gid: NOBODY };
  for (const drop of [[...account, ...capability, heeded], [...account, ...capability], account])
    if (await works([...drop, 'true'])) return { prefix: drop, owner };
  throw new StartError(
    'PostgreSQL does not run as root, and neither unshare nor setpriv can give it another user here: start as an ordinary user.',
  );
}
