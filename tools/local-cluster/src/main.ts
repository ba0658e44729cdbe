import { ServerProcessError, workspaceRoot } from '@ringleader/server-processes';
import { Socket } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { LocalCluster } from './cluster.js';
import { parseArguments, type ClusterOptions } from './options.js';
import { consoleOutput, seconds, StartError, type Output } from './terminal.js';

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

/** The same Ctrl-C reaches this process twice when npm passes it on: only a later one is a second request. */
const IMPATIENCE_AFTER_MS = 1_000;

interface StopRequests {
  /** Aborted at the first request. */
  readonly signal: AbortSignal;
  /** Called at a second request, by someone who does not want to wait. */
  onImpatience(action: () => void): void;
  close(): void;
}

/**
 * A stop is asked for by SIGINT, SIGTERM, SIGHUP, or by the end of the lifeline: a pipe from the process that
 * started this one, which the kernel closes also when that process is killed.
 */
function listenForStop(lifelineFd: number | undefined): StopRequests {
  const controller = new AbortController();
  let firstAt: number | undefined;
  let impatient = (): void => undefined;
  const request = (): void => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > IMPATIENCE_AFTER_MS) impatient();
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, request);
  const lifeline = lifelineFd === undefined ? undefined : new Socket({ fd: lifelineFd, readable: true });
  lifeline?.on('close', request).on('error', request).resume();
  return {
    signal: controller.signal,
    onImpatience: (action) => {
      impatient = action;
    },
    close: () => {
      for (const signal of signals) process.off(signal, request);
      lifeline?.off('close', request).destroy();
    },
  };
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
