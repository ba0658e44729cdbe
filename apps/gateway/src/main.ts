import 'reflect-metadata';
import { loadConfig } from '@ringleader/config';
import { OperationalError } from '@ringleader/contracts';
import { createLogger, runUntilSignal } from '@ringleader/observability';
import { gatewayConfigSchema } from './gateway.config.js';
import { startGateway } from './start-gateway.js';
import type { RunningGateway } from './start-gateway.js';

async function main(): Promise<void> {
  const { env } = process;
  const member = env['RINGLEADER_MEMBER'] ?? 'unnamed';
  const startLogger = createLogger({ level: 'info', service: 'gateway', member });
  try {
    const config = loadConfig(gatewayConfigSchema, env);
    const logger = createLogger({ level: config.RINGLEADER_LOG_LEVEL, service: 'gateway', member });
    let gateway: RunningGateway | null = null;
    runUntilSignal(logger, async () => gateway?.stop(), config.RINGLEADER_LIFELINE_FD);
    gateway = await startGateway(config, logger);
  } catch (error) {
    // Expected reasons are one sentence in the log; the supervisor sees the exit code.
    const isExpected = error instanceof OperationalError;
    startLogger.fatal({ error }, isExpected ? error.message : 'Crashed');
    process.exit(1);
  }
}

await main();
