/**
 * The end of sessions. A driver says goodbye, and waits for the server to close; one that has vanished without a word never does,
 * nor does TCP tell before many minutes.
 */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const GOODBYE_MS = 1_000;

/** Waits for `ending` for a moment; then what is left of the sessions is closed. */
export async function sayGoodbye(ending: Promise<unknown>, sockets: Iterable<Socket>): Promise<void> {
  const cancel = new AbortController();
  const limit = pause(GOODBYE_MS, undefined, { signal: cancel.signal }).catch(() => undefined);
  try {
    await Promise.race([ending, limit]);
  } finally {
    cancel.abort();
    for (const socket of sockets) socket.destroy();
  }
}
