import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { shard } from './shard.js';

export const run = (environment: NodeJS.ProcessEnv): Promise<never> => runService(shard, environment);
