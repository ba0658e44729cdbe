import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import type { ServiceDefinition } from '@ringleader/service-host';
import { AppModule, LastingControlServer } from './app.module.js';
import { CoordinatorConfig, coordinatorConfigSchema } from './coordinator.config.js';

export const coordinator: ServiceDefinition<typeof coordinatorConfigSchema> = {
  service: 'coordinator',
  schema: coordinatorConfigSchema,
  config: CoordinatorConfig,
  module: AppModule,
  carriesBulk: true,
  // Its pod has 60 s.
  stopWithinMs: 30_000,
  notStarted: 'the log is not open yet',
  create: async ({ root, options }) => {
    const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(root, {
      ...options,
      useFactory: (strategy: LastingControlServer) => ({ strategy }),
      inject: [LastingControlServer],
    });
    await app.listen();
    return app;
  },
};
