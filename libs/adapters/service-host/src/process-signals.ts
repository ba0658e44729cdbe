/**
 * How a process of Ringleader ends: SIGTERM and SIGINT stop it in order, within a bound, and a second one at once; so does
 * the end of its lifeline, a pipe from its supervisor which the kernel closes also when the supervisor is killed. A broken
 * invariant or any other error that nobody expected is logged and ends it at once with code 1, for its supervisor to
 * start it again.
 */
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Logger } from '@ringleader/observability';

export interface EndingOptions {
  readonly stopWithinMs: number;
  /** The descriptor of the lifeline; undefined: there is none. */
  readonly lifelineFd?: number | undefined;
}

const SIGNAL_EXIT_BASE = 128;
/** Some supervisors (`timeout`, `tini -g`) tell a process and then its group, so that it hears the same signal twice. */
const SAME_TELLING_MS = 1_000;

export function runUntilSignal(logger: Logger, stop: () => Promise<void>, options: EndingOptions): void {
  let isStopping = false;
  const request = (reason: string): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ reason }, 'Stopping');
    const bound = setTimeout(() => {
      logger.error({ stopWithinMs: options.stopWithinMs }, 'Did not stop in time');
      process.exit(1);
    }, options.stopWithinMs);
    bound.unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'Stopping failed');
        process.exit(1);
      },
    );
  };
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | null = null;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (first === null) {
        first = { signal, at: performance.now() };
        request(signal);
        return;
      }
      if (first.signal === signal && performance.now() - first.at < SAME_TELLING_MS) return;
      logger.warn({ signal }, 'Told to stop again: ending at once');
      process.exit(SIGNAL_EXIT_BASE + constants.signals[signal]);
    });
  }
  if (options.lifelineFd !== undefined) {
    whenLifelineEnds(options.lifelineFd, () => request('the supervisor is gone'));
  }
  crashOnUnexpectedErrors(logger);
}

function whenLifelineEnds(fd: number, action: () => void): void {
  // An error, such as a reset, is an end too.
  new Socket({ fd, readable: true }).on('error', action).on('close', action).resume().unref();
}

function crashOnUnexpectedErrors(logger: Logger): void {
  const crash = (error: unknown): void => {
    try {
      logger.fatal({ error }, 'Crashed');
    } finally {
      process.exit(1);
    }
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
