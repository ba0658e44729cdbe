/** For what a process needs before it can begin: whoever leads is not to end for what passes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@ringleader/observability';
import { backOffMs, jittered } from '@ringleader/primitives';
import { KubeError } from './kube-error.js';

const BACK_OFF = { firstMs: 500, maxMs: 8_000 } as const;

/** Until the API server has answered. */
export async function patiently<T>(
  attempt: () => Promise<T>,
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Pick<Logger, 'warn'> },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      logger.warn({ failures, error }, 'The API server does not answer what is needed first; trying again');
    }
    await pause(jittered(backOffMs(BACK_OFF, failures), Math.random()), undefined, { signal });
  }
}
