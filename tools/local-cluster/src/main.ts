import { ServerProcessError, workspaceRoot } from '@ringleader/server-processes';
import { join, relative, resolve } from 'node:path';
import { LocalCluster } from './cluster.js';
import { consoleOutput, seconds, type Output } from './terminal.js';
import { parseArguments, type ClusterOptions } from './options.js';
import { StartError } from './terminal.js';
import { listenForStop, type StopRequests } from './stop-requests.js';

function greeting(cluster: LocalCluster, tookMs: number): string {
  const [url = ''] = cluster.gatewayUrls;
  const { missing } = cluster;
  const health = missing.length === 0 ? 'healthy' : 'degraded';
  return `
Ringleader is ${health} after ${seconds(tookMs)}: ${cluster.gatewayUrls.join(' ')}
${missing.map((reason) => `✗ ${reason}\n`).join('')}
  curl -X PUT -H 'Content-Type: text/plain' --data 'hello' ${url}/v1/kv/greeting
  curl ${url}/v1/kv/greeting
  curl ${url}/v1/cluster

Documentation: ${url}/docs   Logs: ${relative(process.cwd(), cluster.folder.logs)}   Stop: Ctrl-C
`;
}

async function run(options: ClusterOptions, output: Output, stop: StopRequests): Promise<void> {
  const startedAt = performance.now();
  const root = workspaceRoot();
  const cluster = await LocalCluster.start(
    { ...options, data: options.data === undefined ? undefined : resolve(options.data) },
    { root, defaultData: join(root, '.ringleader'), environment: process.env, output, signal: stop.signal },
  );
  stop.onImpatience(() => {
    output.line('Killing what still runs.');
    cluster.kill();
  });
  output.line(greeting(cluster, performance.now() - startedAt));
  if (!stop.signal.aborted)
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  output.line('Stopping the cluster (Ctrl-C again to kill it).');
  await cluster.stop();
}

/** The bootstrap's pipe; absent when a person runs this program without it. */
function lifelineOf(environment: NodeJS.ProcessEnv): number | undefined {
  const fd = environment['RINGLEADER_LIFELINE_FD'];
  return fd === undefined ? undefined : Number(fd);
}

async function main(): Promise<number> {
  const output = consoleOutput(process.stdout);
  const errors = consoleOutput(process.stderr);
  let stop: StopRequests | undefined;
  try {
    const options = parseArguments(process.argv.slice(2));
    stop = listenForStop(lifelineOf(process.env));
    await run(options, output, stop);
    return 0;
  } catch (error) {
    if (stop?.signal.aborted === true) {
      output.line('Stopped before the cluster was healthy.');
      return 0;
    }
    if (!(error instanceof StartError) && !(error instanceof ServerProcessError)) throw error;
    errors.line(`Ringleader cannot start. ${error.message}`);
    return 1;
  } finally {
    stop?.close();
  }
}

process.exitCode = await main();
