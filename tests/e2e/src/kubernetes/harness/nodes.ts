/**
 * What is done to a node from outside, where nodes are containers of this machine's docker (kind, and what is made like it):
 * nothing in a pod can kill the pod's own first process, nor stop a machine.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMMAND_TIMEOUT_MS = 60_000;

async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args, { timeout: COMMAND_TIMEOUT_MS });
  return stdout.trim();
}

/** Whether this node can be reached in that way. */
export async function isLocal(node: string): Promise<boolean> {
  return docker('container', 'inspect', '--format', '{{.State.Status}}', node).then(
    () => true,
    () => false,
  );
}

/** `containerId` as in a pod's status: containerd://ID. */
export async function killContainer(node: string, containerId: string): Promise<void> {
  const id = containerId.replace(/^containerd:\/\//, '');
  await docker('exec', node, 'ctr', '--namespace', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', id);
}

export async function pauseNode(node: string): Promise<void> {
  await docker('pause', node);
}

export async function resumeNode(node: string): Promise<void> {
  await docker('unpause', node);
}
