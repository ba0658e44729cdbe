import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { gateway } from './gateway.js';

export const run = (environment: NodeJS.ProcessEnv): Promise<never> => runService(gateway, environment);
