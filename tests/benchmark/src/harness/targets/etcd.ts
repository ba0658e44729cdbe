/** A three-node etcd with its durable defaults on loopback. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import {
  freePorts,
  lastLines,
  startChild,
  StartError,
  until,
  type Child,
} from '@ringleader/server-processes';
import { buildGo, goVersion } from '../go-load.js';
import type { Target } from './target.js';

const run = promisify(execFile);
const NODES = 3;
const START_WITHIN_MS = 20_000;
/** Versions that are not compacted yet have room: a run with values of 64 KiB writes gigabytes between two compactions. */
const SPACE_BYTES = 8 * 2 ** 30;

export const ETCD_ADVICE =
  'Name one with --etcd, put it on PATH (https://github.com/etcd-io/etcd/releases), or install Go 1.26, with which the benchmark builds etcd 3.7 itself.';

/** As it was named; or on PATH; or one that was built before; or built now. */
export async function locateEtcd(named: string | undefined, searchPath: string): Promise<string> {
  if (named !== undefined) {
    if (existsSync(named)) return named;
    throw new StartError(`There is no etcd at ${named}. ${ETCD_ADVICE}`);
  }
  const folders = [
    ...searchPath.split(delimiter).filter(Boolean),
    join(homedir(), '.cache', 'ringleader-peers'),
  ];
  const found = folders.map((folder) => join(folder, 'etcd')).find((path) => existsSync(path));
  if (found !== undefined) return found;
  if ((await goVersion()) === null) throw new StartError(`There is no etcd. ${ETCD_ADVICE}`);
  return buildGo('peers', 'etcd', 'go.etcd.io/etcd/server/v3');
}

export async function etcdTarget(program: string): Promise<Target> {
  const { stdout } = await run(program, ['--version']).catch((cause: Error) => {
    throw new StartError(`${program} is no etcd that runs here: ${cause.message}`, { cause });
  });
  const version = /etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown';
  return {
    name: 'etcd',
    version,
    description:
      'three nodes with durable defaults; gRPC; linearizable reads; a batch is a transaction; compacted between measurements',
    start: async () => {
      const { urls, pids, stop } = await startEtcd(program);
      const endpoints = urls.map((url) => new URL(url).host);
      const processes = pids.map((pid) => ({ kind: 'etcd', pid }));
      return {
        kind: 'etcd',
        endpoints,
        processes: async () => Promise.resolve(processes),
        tidy: () => Promise.resolve(),
        stop,
      };
    },
  };
}

export interface EtcdCluster {
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export async function startEtcd(program: string): Promise<EtcdCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'ringleader-etcd-'));
  const clients = await freePorts(NODES);
  const peers = await freePorts(NODES);
  const initial = peers.map((port, i) => `n${i}=http://127.0.0.1:${port}`).join(',');
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    await rm(dir, { recursive: true });
  };
  const urls = clients.map((port) => `http://127.0.0.1:${port}`);
  try {
    for (const [i, clientUrl] of urls.entries()) {
      const peerUrl = `http://127.0.0.1:${peers[i]}`;
      const options = {
        name: `n${i}`,
        'data-dir': join(dir, `n${i}`),
        'listen-client-urls': clientUrl,
        'advertise-client-urls': clientUrl,
        'listen-peer-urls': peerUrl,
        'initial-advertise-peer-urls': peerUrl,
        'initial-cluster': initial,
        'quota-backend-bytes': SPACE_BYTES,
        'log-level': 'error',
      };
      const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
      const logFile = join(dir, `n${i}.log`);
      children.push(
        await startChild({ name: `etcd n${i}`, command: program, args, logFile, orphaned: 'SIGTERM' }),
      );
    }
    await Promise.all(urls.map((url, i) => untilHealthy(url, children[i])));
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls, pids: children.map(({ pid }) => pid), stop };
}

async function untilHealthy(url: string, child: Child | undefined): Promise<void> {
  const isHealthy = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/health`).catch(() => null);
    await answer?.body?.cancel();
    return answer?.ok === true;
  };
  const failure = (): string | undefined => (child?.exit() === undefined ? undefined : 'it has ended');
  await until(`etcd at ${url} is healthy`, isHealthy, {
    timeoutMs: START_WITHIN_MS,
    everyMs: 50,
    failure,
  }).catch(async (cause: Error) => {
    const lines = child === undefined ? [] : await lastLines(child.logFile, 3);
    throw new StartError(`${cause.message}; its log ends with: ${lines.join(' | ')}`, { cause });
  });
}
