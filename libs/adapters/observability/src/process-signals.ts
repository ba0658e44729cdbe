/**
 * How a process of Ringleader ends: SIGTERM and SIGINT stop it in order, within a bound; a broken invariant or any other
 * error that nobody expected is logged and ends it at once with code 1, for its supervisor to start it again.
 */
import type { Logger } from './logger.js';

const STOP_WITHIN_MS = 5_000;

export function runUntilSignal(logger: Logger, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'Stopping');
    const bound = setTimeout(() => {
      logger.error({ stopWithinMs: STOP_WITHIN_MS }, 'Did not stop in time');
      process.exit(1);
    }, STOP_WITHIN_MS);
    bound.unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'Stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  crashOnUnexpectedErrors(logger);
}

export function crashOnUnexpectedErrors(logger: Logger): void {
  const crash = (error: unknown): void => {
    logger.fatal({ error }, 'Crashed');
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
