/** As the other services run, but that there is no NATS of its own: the operator is outside of the clusters that it looks after. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { loadConfig, memberOf } from '@ringleader/config';
import { NestLogger, createLogger, createMetrics } from '@ringleader/observability';
import { FatalErrors, Health, endProcess, runUntilSignal, startProbeServer } from '@ringleader/service-host';
import { AppModule } from './app.module.js';
import { operatorConfigSchema } from './operator.config.js';

/** Less than the 30 s that Kubernetes gives. */
const STOP_WITHIN_MS = 25_000;
const SERVICE = 'operator';

/** Never settles: the process ends instead. */
export async function run(environment: NodeJS.ProcessEnv): Promise<never> {
  let logger = createLogger({ level: 'info', service: SERVICE, member: memberOf(environment) });
  try {
    const config = loadConfig(operatorConfigSchema, environment);
    const member = config.RINGLEADER_MEMBER;
    logger = createLogger({ level: config.RINGLEADER_LOG_LEVEL, service: SERVICE, member });
    const health = new Health('the application has not begun yet');
    const fatal = new FatalErrors();
    const metrics = createMetrics({ service: SERVICE, member });
    let stop = (): Promise<void> => Promise.resolve();
    runUntilSignal(logger, () => stop(), {
      stopWithinMs: config.RINGLEADER_STOP_WITHIN_MS ?? STOP_WITHIN_MS,
      lifelineFd: config.RINGLEADER_LIFELINE_FD,
    });
    const { RINGLEADER_PROBE_PORT: port, RINGLEADER_PROBE_HOST: host } = config;
    const probes = port === undefined ? null : await startProbeServer({ host, port, health, metrics });
    const module = AppModule.of({ config, logger, health, fatal, metrics });
    const application = await NestFactory.createApplicationContext(module, {
      logger: new NestLogger(logger),
      abortOnError: false,
    });
    stop = async () => {
      health.drain();
      await application.close();
      await probes?.close();
    };
    health.started();
    logger.info({ probes: probes?.port ?? null }, 'Started');
    return await fatal.first;
  } catch (error) {
    return endProcess(logger, error);
  }
}
