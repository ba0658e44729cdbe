import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { advertisedHost, hostAndPort, listenedHost } from '@ringleader/config';
import { GATEWAY_DRAIN_MS, OperationalError, RINGLEADER_VERSION } from '@ringleader/contracts';
import { Membership, type ServiceDefinition } from '@ringleader/service-host';
import { AppModule } from './app.module.js';
import { GatewayConfig, gatewayConfigSchema, refuseOpenNetwork, tellsTokens } from './gateway.config.js';
import { DEFAULT_HTTP_TIMINGS, createHttpServer } from './http-server.js';
import { followCertificate, serverTls } from './http/tls.js';

export const gateway: ServiceDefinition<typeof gatewayConfigSchema> = {
  service: 'gateway',
  schema: gatewayConfigSchema,
  config: GatewayConfig,
  module: AppModule,
  stopWithinMs: GATEWAY_DRAIN_MS,
  carriesBulk: true,
  notStarted: 'it does not listen yet',
  create: async ({ root, config, logger, health }) => {
    refuseOpenNetwork(config);
    if (tellsTokens(config))
      logger.warn({ host: config.RINGLEADER_HTTP_HOST }, 'Tokens come without encryption');
    const tls = serverTls(config);
    const app = await createHttpServer({
      root,
      logger,
      tls,
      version: RINGLEADER_VERSION,
      timings: DEFAULT_HTTP_TIMINGS,
      hosts: [
        config.RINGLEADER_HTTP_HOST,
        advertisedHost(config, config.RINGLEADER_HTTP_HOST),
        ...config.RINGLEADER_HTTP_HOSTS,
      ],
      trustedProxies: config.RINGLEADER_TRUSTED_PROXIES,
    });
    if (tls !== null) followCertificate(app.getHttpServer(), tls, logger);
    await listen(app, config);
    health.started();
    const address = publicAddress(app, config);
    // It answers probes there, too.
    if (config.RINGLEADER_PROBE_PORT === undefined) app.get(Membership).update({ address });
    logger.info({ address, tls: tls !== null }, 'Listening');
    return app;
  },
};

async function listen(app: NestFastifyApplication, config: GatewayConfig): Promise<void> {
  const { RINGLEADER_HTTP_HOST: host, RINGLEADER_HTTP_PORT: port } = config;
  try {
    await app.listen(port, listenedHost(host));
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new OperationalError(
      'CONFIG_INVALID',
      `Cannot listen on ${host}:${port}: ${reason}`,
      { host, port },
      { cause },
    );
  }
}

function publicAddress(app: NestFastifyApplication, config: GatewayConfig): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return hostAndPort(advertisedHost(config, config.RINGLEADER_HTTP_HOST), port);
}
