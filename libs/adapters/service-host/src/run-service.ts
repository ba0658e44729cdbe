/** The whole `main.ts` of a service. */
import { setFlagsFromString } from 'node:v8';
import { loadConfig, memberOf, unknownVariables } from '@ringleader/config';
import type { CommonConfig } from '@ringleader/config';
import { EXIT_DO_NOT_RESTART, OperationalError } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import type { z } from 'zod';
import { runUntilSignal } from './process-signals.js';
import { startService, stopBoundMs } from './start-service.js';
import type { RunningService, ServiceDefinition } from './start-service.js';

/**
 * What lies outside of the JavaScript heap (frames and values) counts with it towards the next collection. Else each 64 MB
 * of it begin a full one, however much is kept: with values of a megabyte every few writes, and half of the CPU time of
 * carrying them. Versions before V8 14 do not know it.
 */
function countWhatIsOutsideTheHeap(): void {
  const [major] = process.versions.v8.split('.');
  if (Number(major) >= 14) setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/** Never settles: the process ends instead. */
export async function runService<Schema extends z.ZodObject>(
  definition: ServiceDefinition<Schema>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  countWhatIsOutsideTheHeap();
  const { service } = definition;
  const member = memberOf(environment);
  let logger = createLogger({ level: 'info', service, member });
  try {
    const config = loadConfig(definition.schema, environment);
    const common = config as unknown as CommonConfig;
    logger = createLogger({ level: common.RINGLEADER_LOG_LEVEL, service, member: common.RINGLEADER_MEMBER });
    for (const { variable, message } of unknownVariables(environment, Object.keys(definition.schema.shape)))
      logger.warn({ variable }, `${variable} is passed over: it ${message}`);
    let running: RunningService | null = null;
    runUntilSignal(logger, async () => running?.stop(), {
      stopWithinMs: stopBoundMs(definition, common),
      lifelineFd: common.RINGLEADER_LIFELINE_FD,
    });
    running = await startService(definition, config, logger);
    return await running.failed;
  } catch (error) {
    return endProcess(logger, error);
  }
}

/** Expected reasons are one sentence in the log; the exit code tells the supervisor whether another start is worth while. */
export function endProcess(logger: Logger, error: unknown): never {
  if (error instanceof OperationalError) {
    logger.fatal({ code: error.code, details: error.details, error }, error.message);
    if (error.entry.outlivesRestart === true) process.exit(EXIT_DO_NOT_RESTART);
  } else {
    logger.fatal({ error }, 'Crashed');
  }
  process.exit(1);
}
