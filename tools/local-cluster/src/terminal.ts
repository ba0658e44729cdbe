/** The start cannot go on, for a reason a person can do something about: the message is one sentence. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Lines for the person at the terminal. */
export interface Output {
  line(text: string): void;
}

export function consoleOutput(stream: NodeJS.WritableStream): Output {
  // The terminal, or the pipe's reader, may be gone before the cluster is: that must not end it half way.
  stream.on('error', () => undefined);
  return { line: (text) => void stream.write(`${text}\n`) };
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
