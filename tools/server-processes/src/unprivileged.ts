import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { StartError } from './child.js';

/** PostgreSQL refuses to run as root, or as somebody whose account has no name; this says how to start it nevertheless. */
export interface Unprivileged {
  /** Put before the command line; empty for an ordinary user. */
  readonly prefix: readonly string[];
  /** Who must own the files, when that is not the present user. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

const NOBODY = 65534;

/** Whether a command line that begins so runs programs, as somebody who has a name. */
async function works({ prefix }: Unprivileged): Promise<boolean> {
  const [file = 'whoami', ...args] = [...prefix, 'whoami'];
  return promisify(execFile)(file, args).then(
    () => true,
    () => false,
  );
}

/**
 * In a user namespace the present user's files belong to `nobody`, who has an account wherever anybody has: this needs no change
 * of ownership. Where namespaces are refused (Docker's default profile), root drops to `nobody` instead, who keeps
 * the right to pass any folder: the programs and the data may lie below one that is root's alone (/root, mktemp -d).
 */
export async function unprivileged({ namespaces = true } = {}): Promise<Unprivileged> {
  const isRoot = process.getuid?.() === 0;
  const namespace = { prefix: ['unshare', '-U', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`] };
  const account = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const capability = [...account, '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  // access(2), by which PostgreSQL looks for its own programs, asks for the right only where this is set.
  const heeded = [...capability, '--securebits=+no_setuid_fixup'];
  const owner = { uid: NOBODY, gid: NOBODY };
  const ways: readonly Unprivileged[] = [
    ...(isRoot ? [] : [{ prefix: [] }]),
    ...(namespaces ? [namespace] : []),
    ...(isRoot ? [heeded, capability, account].map((prefix) => ({ prefix, owner })) : []),
  ];
  for (const way of ways) if (await works(way)) return way;
  throw new StartError(
    'PostgreSQL runs only as a user with an account who is not root, and neither unshare nor setpriv can give it one here: start as such a user.',
  );
}
