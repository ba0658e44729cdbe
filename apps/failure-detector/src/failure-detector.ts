import type { ServiceDefinition } from '@ringleader/service-host';
import { AppModule } from './app.module.js';
import { FailureDetectorConfig, failureDetectorConfigSchema } from './failure-detector.config.js';

export const failureDetector = {
  service: 'failure-detector',
  schema: failureDetectorConfigSchema,
  config: FailureDetectorConfig,
  module: AppModule,
  stopWithinMs: 5_000,
} as const satisfies ServiceDefinition<typeof failureDetectorConfigSchema>;
