import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ServerProcessError } from './server-process-error.js';

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
 * ownership. Where namespaces are refused (Docker's default profile), the process drops to `nobody` instead.
 */
export async function unprivileged(uid = process.getuid?.()): Promise<Unprivileged> {
  if (uid !== 0) return { prefix: [] };
  const namespace = ['unshare', '-U', '--map-user=1000', '--map-group=1000'];
  if (await works([...namespace, 'true'])) return { prefix: namespace };
  const drop = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  if (await works([...drop, 'true'])) return { prefix: drop, owner: { uid: NOBODY, gid: NOBODY } };
  throw new ServerProcessError(
    'PostgreSQL does not run as root, and neither unshare nor setpriv can give it another user here: start as an ordinary user.',
  );
}
