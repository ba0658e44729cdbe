import { StartError, workspaceRoot } from '@ringleader/server-processes';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { join, relative } from 'node:path';
import { LocalCluster, type ClusterContext } from './cluster.js';
import type { Security } from './security.js';
import type { ClusterOptions } from './services.js';
import { seconds, type Say } from './supervisor.js';

function greeting({ gatewayUrls, missing, folder, security }: LocalCluster, tookMs: number): string {
  const [url = ''] = gatewayUrls;
  const curl = security === null ? 'curl' : `curl --cacert ${asTyped(security.caFile)} -H "$AUTHORIZATION"`;
  const health = missing.length === 0 ? 'healthy' : 'degraded';
  return `
Ringleader is ${health} after ${seconds(tookMs)}: ${gatewayUrls.join(' ')}
${missing.map((reason) => `✗ ${reason}\n`).join('')}
${security === null ? '' : howToIdentify(url, security)}  ${curl} -X PUT -H 'Content-Type: text/plain' --data 'hello' ${url}/v1/kv/greeting
  ${curl} ${url}/v1/kv/greeting
  ${curl} ${url}/v1/cluster

Documentation: ${url}/docs   Logs: ${relative(process.cwd(), folder.logs)}   Stop: Ctrl-C
`;
}

/** The token itself is not shown: it would stay in the terminal's memory, and in logs. */
function howToIdentify(url: string, { caFile, rootTokenFile }: Security): string {
  return `  Callers trust the authority in ${asTyped(caFile)}, and show the token in ${asTyped(rootTokenFile)}.
  So does the command line, behind this:

  export RINGLEADER_GATEWAYS=${url} RINGLEADER_CA_FILE=${quoted(caFile)} RINGLEADER_TOKEN_FILE=${quoted(rootTokenFile)}
  AUTHORIZATION="Authorization: Bearer $(cat ${asTyped(rootTokenFile)})"
`;
}

/** The short form where there is one, for a shell. */
function asTyped(path: string): string {
  const short = relative(process.cwd(), path);
  return quoted(short.startsWith('..') ? path : short);
}

const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;

/** The same Ctrl-C reaches this process twice when npm passes it on: only a later one is a second request. */
const IMPATIENCE_AFTER_MS = 1_000;

/** How long what was killed may take to be cleared away. What is only being prepared ends with this process, or soon after. */
const AT_ONCE_MS = 1_000;

/**
 * Aborted when a stop is asked for: by SIGINT, SIGTERM, SIGHUP, or by the end of the lifeline, a pipe from the bootstrap, which
 * the kernel closes also when that is killed. `impatience` when somebody asks again, who does not want to wait.
 */
function stopRequests(lifelineFd: string | undefined): Pick<ClusterContext, 'signal' | 'impatience'> {
  const [asked, askedAgain] = [new AbortController(), new AbortController()];
  let firstAt = Infinity;
  const request = (): void => {
    firstAt = Math.min(firstAt, performance.now());
    if (performance.now() - firstAt > IMPATIENCE_AFTER_MS) askedAgain.abort();
    asked.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, request);
  // Absent when a person runs this program without the bootstrap.
  const lifeline =
    lifelineFd === undefined ? undefined : new Socket({ fd: Number(lifelineFd), readable: true });
  lifeline?.on('close', request).on('error', request).resume().unref();
  return { signal: asked.signal, impatience: askedAgain.signal };
}

function sayOn(stream: NodeJS.WritableStream): Say {
  // The terminal, or the pipe's reader, may be gone before the cluster is: that must not end it half way.
  stream.on('error', () => undefined);
  return (text) => void stream.write(`${text}\n`);
}

/** Runs a cluster until a stop is asked for; gives the exit code. */
export async function runStarter(
  options: ClusterOptions,
  outside: Pick<ClusterContext, 'environment' | 'interpose'>,
): Promise<number> {
  const say = sayOn(process.stdout);
  const complain = sayOn(process.stderr);
  const startedAt = performance.now();
  let cluster: LocalCluster | undefined;
  const requests = stopRequests(outside.environment['RINGLEADER_LIFELINE_FD']);
  const { signal, impatience } = requests;
  impatience.addEventListener('abort', () => {
    say('Killing what still runs.');
    setTimeout(() => process.exit(1), AT_ONCE_MS).unref();
  });
  try {
    const root = workspaceRoot();
    const data = options.data ?? join(root, '.ringleader');
    cluster = await LocalCluster.start({ ...options, data }, { ...outside, ...requests, root, say });
    say(greeting(cluster, performance.now() - startedAt));
    if (!signal.aborted) await once(signal, 'abort');
    say('Stopping the cluster (Ctrl-C again to kill it).');
    await cluster.stop();
    return 0;
  } catch (error) {
    if (signal.aborted && cluster === undefined) {
      say('Stopped before the cluster was healthy.');
      return 0;
    }
    if (!(error instanceof StartError)) throw error;
    complain(`Ringleader cannot start. ${error.message}`);
    return 1;
  }
}
