import type { ClusterOptions } from './services.js';
import { runStarter } from './starter.js';

/** Its one argument: the options, as the bootstrap has read them. */
const options = JSON.parse(process.argv[2] ?? '') as ClusterOptions;
process.exitCode = await runStarter(options, { environment: process.env });
