import { StartError } from '@ringleader/server-processes';

/** Ctrl-C, and SIGTERM, abort the signal that `run` is given, which then puts away what it has made. */
export async function endable<T>(
  note: (text: string) => void,
  run: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  // Once is enough: what runs is stopped in order, and that takes some seconds.
  const end = (signal: NodeJS.Signals): void => {
    note(`${signal}: stopping all that was started`);
    ended.abort(new StartError('The benchmark was ended before it was done.'));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
  try {
    return await run(ended.signal);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
  }
}
