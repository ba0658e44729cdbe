import { describeExit, lastLines, ServerProcessError, type Child } from './child.js';
import { until } from './until.js';

/** How to run one server, as often as needed, at the same address and on the same data. */
export interface LocalServer {
  readonly name: string;
  /** Undefined for a server that listens on a Unix socket only. */
  readonly port?: number;
  readonly url: string;
  readonly logFile: string;
  /** Starts a process and waits until it serves. */
  launch(): Promise<Child>;
  /** Stops a process of this server, cleanly. */
  shutdown(child: Child): Promise<void>;
}

export interface LocalServerOptions {
  readonly name: string;
  /** Holds configuration and data. */
  readonly dir: string;
  readonly logFile: string;
}

export const READY_TIMEOUT_MS = 60_000;
export const STOP_GRACE_MS = 10_000;

export async function waitUntilReady(child: Child, ready: () => Promise<boolean>): Promise<Child> {
  const failure = (): string | undefined => {
    const exit = child.exit();
    return exit === undefined ? undefined : `it ended with ${describeExit(exit)}`;
  };
  try {
    await until(`${child.name} did not become ready`, ready, { timeoutMs: READY_TIMEOUT_MS, failure });
    return child;
  } catch (error) {
    await child.stop('SIGKILL', STOP_GRACE_MS);
    const lines = await lastLines(child.logFile, 5);
    throw new ServerProcessError(`${(error as Error).message}; its log ends with: ${lines.join(' | ')}`, {
      cause: error,
    });
  }
}
