/** What a coordinator does first when it is told to stop: nobody is to wait for a leader that is about to end. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RaftNode } from './raft-node.js';

const ATTEMPT_MS = 2_000;
const RETRY_MS = 100;

/** Until another one leads, or nobody else could; false where it has nothing to hand over, or nobody took it in time. */
export async function handOver(
  raft: Pick<RaftNode<unknown>, 'status' | 'group' | 'transferLeadership'>,
  withinMs: number,
): Promise<boolean> {
  const endsAt = performance.now() + withinMs;
  const others = (): boolean => raft.group().configuration.voters.some(({ id }) => id !== raft.group().id);
  while (raft.status().role === 'leader' && others()) {
    const leftMs = endsAt - performance.now();
    if (leftMs <= 0) return false;
    if (await raft.transferLeadership(Math.min(ATTEMPT_MS, leftMs))) return true;
    // Refused at once, as where no other one is up to date: it may be soon.
    await pause(RETRY_MS);
  }
  return false;
}
