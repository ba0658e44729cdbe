import 'reflect-metadata';
import { loadConfig } from '@ringleader/config';
import { OperationalError } from '@ringleader/contracts';
import { createLogger, runUntilSignal } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { coordinatorConfigSchema } from './coordinator.config.js';
import { startCoordinator } from './start-coordinator.js';
import type { RunningCoordinator } from './start-coordinator.js';

/** Expected reasons are one sentence in the log; the supervisor sees the exit code. */
function fail(logger: Logger, error: unknown): never {
  if (error instanceof OperationalError)
    logger.fatal({ code: error.code, details: error.details, error }, error.message);
  else logger.fatal({ error }, 'Crashed');
  process.exit(1);
}

async function main(): Promise<void> {
  const { env } = process;
  const startLogger = createLogger({
    level: 'info',
    service: 'coordinator',
    member: env['RINGLEADER_MEMBER'] ?? 'unnamed',
  });
  try {
    const config = loadConfig(coordinatorConfigSchema, env);
    const logger = createLogger({
      level: config.RINGLEADER_LOG_LEVEL,
      service: 'coordinator',
      member: config.RINGLEADER_MEMBER,
    });
    let coordinator: RunningCoordinator | null = null;
    runUntilSignal(logger, async () => coordinator?.stop(), config.RINGLEADER_LIFELINE_FD);
    coordinator = await startCoordinator(config, logger);
    await coordinator.stopped;
  } catch (error) {
    fail(startLogger, error);
  }
}

await main();
