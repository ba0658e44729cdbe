/**
 * A three-node etcd with its durable defaults on loopback, for ratios in the same run.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '@ringleader/server-processes';

export interface EtcdCluster {
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

const NODES = 3;
const START_WITHIN_MS = 20_000;

export async function startEtcd(program: string): Promise<EtcdCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'ringleader-etcd-'));
  const clients = await freePorts(NODES);
  const peers = await freePorts(NODES);
  const initial = peers.map((port, i) => `n${i}=http://127.0.0.1:${port}`).join(',');
  const children = clients.map((client, i) => {
    const clientUrl = `http://127.0.0.1:${client}`;
    const peerUrl = `http://127.0.0.1:${peers[i]}`;
    const options = {
      name: `n${i}`,
      'data-dir': join(dir, `n${i}`),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': initial,
      'log-level': 'error',
    };
    return spawn(
      program,
      Object.entries(options).map(([name, value]) => `--${name}=${value}`),
      { stdio: 'ignore' },
    );
  });
  const urls = clients.map((port) => `http://127.0.0.1:${port}`);
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(end));
    await rm(dir, { recursive: true });
  };
  try {
    await Promise.all(urls.map(waitUntilHealthy));
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls, pids: children.flatMap(({ pid }) => pid ?? []), stop };
}

async function waitUntilHealthy(url: string): Promise<void> {
  const giveUpAt = performance.now() + START_WITHIN_MS;
  let last: unknown = null;
  while (performance.now() < giveUpAt) {
    try {
      const answer = await fetch(`${url}/health`);
      if (answer.ok) return;
      last = answer.status;
    } catch (error) {
      last = error;
    }
    await delay(50);
  }
  throw new Error(`etcd at ${url} is not healthy after ${START_WITHIN_MS} ms`, { cause: last });
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
