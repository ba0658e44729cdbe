import 'reflect-metadata';
import { runService } from '@ringleader/service-host';
import { shard } from './shard.js';

await runService(shard, process.env);
