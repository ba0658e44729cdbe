/**
 * How a process of Ringleader ends: SIGTERM and SIGINT stop it in order, within a bound; so does the end of its
 * lifeline, a pipe from its supervisor which the kernel closes also when the supervisor is killed. A broken invariant or any other
 * error that nobody expected is logged and ends it at once with code 1, for its supervisor to start it again.
 */
import { Socket } from 'node:net';
import type { Logger } from './logger.js';

const STOP_WITHIN_MS = 5_000;

/** `lifelineFd` is the descriptor of the lifeline; undefined: there is none. */
export function runUntilSignal(logger: Logger, stop: () => Promise<void>, lifelineFd?: number): void {
  let stopping = false;
  const onRequest = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, 'Stopping');
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
  process.on('SIGTERM', onRequest);
  process.on('SIGINT', onRequest);
  if (lifelineFd !== undefined) {
    whenLifelineEnds(lifelineFd, () => {
      onRequest('the supervisor is gone');
    });
  }
  crashOnUnexpectedErrors(logger);
}

function whenLifelineEnds(fd: number, action: () => void): void {
  // An error, such as a reset, is an end too.
  new Socket({ fd, readable: true }).on('error', action).on('close', action).resume().unref();
}

export function crashOnUnexpectedErrors(logger: Logger): void {
  const crash = (error: unknown): void => {
    logger.fatal({ error }, 'Crashed');
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
