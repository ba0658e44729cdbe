import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { failureDetector } from './failure-detector.js';

export const run = (environment: NodeJS.ProcessEnv): Promise<never> =>
  runService(failureDetector, environment);
