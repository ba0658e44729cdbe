import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { coordinator } from './coordinator.js';

export const run = (environment: NodeJS.ProcessEnv): Promise<never> => runService(coordinator, environment);
