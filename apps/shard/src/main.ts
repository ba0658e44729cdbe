import 'reflect-metadata';
import { loadConfig } from '@ringleader/config';
import { OperationalError } from '@ringleader/contracts';
import { createLogger, type Logger, runUntilSignal } from '@ringleader/observability';
import { shardConfigSchema } from './shard.config.js';
import { type RunningShard, startShard } from './start-shard.js';

/** Expected reasons are one sentence in the log; the supervisor sees the exit code. */
function fail(logger: Logger, error: unknown): never {
  if (error instanceof OperationalError) {
    logger.fatal({ code: error.code, details: error.details, error }, error.message);
  } else {
    logger.fatal({ error }, 'Crashed');
  }
  process.exit(1);
}

async function main(): Promise<void> {
  const { env } = process;
  const member = env['RINGLEADER_MEMBER'] ?? 'unnamed';
  let logger = createLogger({ level: 'info', service: 'shard', member });
  try {
    const config = loadConfig(shardConfigSchema, env);
    logger = createLogger({ level: config.RINGLEADER_LOG_LEVEL, service: 'shard', member });
    let shard: RunningShard | null = null;
    runUntilSignal(logger, async () => shard?.stop(), config.RINGLEADER_LIFELINE_FD);
    shard = await startShard(config, logger);
    await shard.failed;
  } catch (error) {
    fail(logger, error);
  }
}

await main();
