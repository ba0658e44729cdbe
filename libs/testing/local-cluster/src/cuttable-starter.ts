/** The starter of a cluster whose connections can be cut: see links.ts. */
import { runStarter, type ClusterOptions } from '@ringleader/tool-local-cluster';
import { TurnedLinks } from './links.js';

const options = JSON.parse(process.argv[2] ?? '') as ClusterOptions & { readonly data: string };
const links = await TurnedLinks.open(options.data);
const { interpose } = links;
process.exitCode = await runStarter(options, { environment: process.env, interpose });
await links.close();
