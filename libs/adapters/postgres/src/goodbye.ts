/**
 * The end of sessions. A driver says goodbye, and waits for the server to close; one that has vanished without a word never does,
 * nor does TCP tell before many minutes.
 */
import type { Socket } from 'node:net';

const GOODBYE_MS = 1_000;

/** Waits for `ending` for a moment; then what is left of the sessions is closed. */
export async function sayGoodbye(ending: Promise<unknown>, sockets: Iterable<Socket>): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, GOODBYE_MS);
  try {
    await Promise.race([ending, limit.promise]);
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  }
}
