import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { gateway } from './gateway.js';

await runService(gateway, process.env);
