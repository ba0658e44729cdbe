import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { failureDetector } from './failure-detector.js';

await runService(failureDetector, process.env);
