import { Socket } from 'node:net';

/** The same Ctrl-C reaches this process twice when npm passes it on: only a later one is a second request. */
const IMPATIENCE_AFTER_MS = 1_000;

export interface StopRequests {
  /** Aborted at the first request. */
  readonly signal: AbortSignal;
  /** Called at a second request, by someone who does not want to wait. */
  onImpatience(action: () => void): void;
  close(): void;
}

/**
 * A stop is asked for by SIGINT, SIGTERM, SIGHUP, or by the end of the lifeline: a pipe from the process that
 * started this one, which the kernel closes also when that process is killed.
 */
export function listenForStop(lifelineFd: number | undefined): StopRequests {
  const controller = new AbortController();
  let firstAt: number | undefined;
  let impatient = (): void => undefined;
  const request = (): void => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > IMPATIENCE_AFTER_MS) impatient();
    controller.abort(new StopRequested());
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, request);
  const lifeline = lifelineFd === undefined ? undefined : new Socket({ fd: lifelineFd, readable: true });
  lifeline?.on('close', request).on('error', request).resume();
  return {
    signal: controller.signal,
    onImpatience: (action) => {
      impatient = action;
    },
    close: () => {
      for (const signal of signals) process.off(signal, request);
      lifeline?.off('close', request).destroy();
    },
  };
}

export class StopRequested extends Error {
  override readonly name = 'StopRequested';
}
