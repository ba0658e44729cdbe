import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { coordinator } from './coordinator.js';

await runService(coordinator, process.env);
