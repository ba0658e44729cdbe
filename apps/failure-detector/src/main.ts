import 'reflect-metadata';
import { loadConfig } from '@ringleader/config';
import { OperationalError } from '@ringleader/contracts';
import { createLogger, runUntilSignal } from '@ringleader/observability';
import { failureDetectorConfigSchema } from './failure-detector.config.js';
import { startFailureDetector, type RunningFailureDetector } from './start-failure-detector.js';

async function main(): Promise<void> {
  const { env } = process;
  const member = env['RINGLEADER_MEMBER'] ?? 'unnamed';
  const startLogger = createLogger({ level: 'info', service: 'failure-detector', member });
  try {
    const config = loadConfig(failureDetectorConfigSchema, env);
    const logger = createLogger({ level: config.RINGLEADER_LOG_LEVEL, service: 'failure-detector', member });
    let detector: RunningFailureDetector | null = null;
    runUntilSignal(logger, async () => detector?.stop(), config.RINGLEADER_LIFELINE_FD);
    detector = await startFailureDetector(config, logger);
  } catch (error) {
    // Expected reasons are one sentence in the log; the supervisor sees the exit code.
    const isExpected = error instanceof OperationalError;
    startLogger.fatal({ error }, isExpected ? error.message : 'Crashed');
    process.exit(1);
  }
}

await main();
