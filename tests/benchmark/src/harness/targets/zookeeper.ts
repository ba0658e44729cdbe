/** A ZooKeeper of three servers with its durable defaults on loopback. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import {
  freePorts,
  lastLines,
  startChild,
  StartError,
  until,
  type Child,
} from '@ringleader/server-processes';
import type { Target } from './target.js';

const run = promisify(execFile);
const SERVERS = 3;
const START_WITHIN_MS = 60_000;
/** Where Debian's libzookeeper-java puts it. */
const USUAL_JAR = '/usr/share/java/zookeeper.jar';
/** What ZooKeeper's own scripts give the server. */
const HEAP = '-Xmx1000m';

export const ZOOKEEPER_ADVICE =
  "Install Debian's packages libzookeeper-java and default-jre-headless, or name the jar with --zookeeper (https://zookeeper.apache.org/releases.html: lib/zookeeper-3.8.*.jar) and have java on PATH.";

export function locateZooKeeper(named: string = USUAL_JAR): string {
  if (existsSync(named)) return named;
  throw new StartError(`There is no ZooKeeper at ${named}. ${ZOOKEEPER_ADVICE}`);
}

export async function zooKeeperTarget(jar: string, searchPath: string): Promise<Target> {
  const asked = await run('java', ['-cp', jar, 'org.apache.zookeeper.Version']).catch((cause: Error) => {
    throw new StartError(`${jar} is no ZooKeeper that runs here: ${cause.message}. ${ZOOKEEPER_ADVICE}`, {
      cause,
    });
  });
  const version = /\d+\.\d+\.\d+/.exec(asked.stdout)?.[0] ?? 'unknown';
  return {
    name: 'zookeeper',
    version,
    description:
      'three servers with durable defaults; a read is sync and get; a batch is a multi; a watch is told once, read and set again',
    start: async () => {
      const { endpoints, pids, tidy, stop } = await startZooKeeper(jar, searchPath);
      const processes = pids.map((pid) => ({ kind: 'java', pid }));
      return { kind: 'zookeeper', endpoints, processes: () => Promise.resolve(processes), tidy, stop };
    },
  };
}

interface ZooKeeperCluster {
  readonly endpoints: readonly string[];
  readonly pids: readonly number[];
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

async function startZooKeeper(jar: string, searchPath: string): Promise<ZooKeeperCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'ringleader-zookeeper-'));
  const ports = await freePorts(SERVERS * 3);
  const clients = ports.slice(0, SERVERS);
  const homes = clients.map((_, i) => join(dir, `s${i + 1}`));
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    await rm(dir, { recursive: true });
  };
  try {
    for (const [i, home] of homes.entries()) {
      const logFile = join(dir, `s${i + 1}.log`);
      const config = await configure(home, i, ports);
      const args = [HEAP, '-cp', jar, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', config];
      children.push(
        await startChild({
          name: `zookeeper s${i + 1}`,
          command: 'java',
          args,
          logFile,
          env: { PATH: searchPath },
          orphaned: 'SIGTERM',
        }),
      );
    }
    await Promise.all(clients.map((port, i) => untilItServes(port, children[i])));
  } catch (error) {
    await stop();
    throw error;
  }
  const tidy = async (): Promise<void> => {
    for (const home of homes)
      await run('java', ['-cp', jar, 'org.apache.zookeeper.server.PurgeTxnLog', home, home, '-n', '3']);
  };
  const endpoints = clients.map((port) => `127.0.0.1:${port}`);
  return { endpoints, pids: children.map(({ pid }) => pid), tidy, stop };
}

async function configure(home: string, index: number, ports: readonly number[]): Promise<string> {
  await mkdir(home);
  await writeFile(join(home, 'myid'), `${index + 1}\n`);
  const peers = Array.from({ length: SERVERS }, (_, i) => {
    return `server.${i + 1}=127.0.0.1:${ports[SERVERS + i]}:${ports[2 * SERVERS + i]}`;
  });
  const lines = [
    ...['tickTime=2000', 'initLimit=10', 'syncLimit=5', `dataDir=${home}`],
    ...['clientPortAddress=127.0.0.1', `clientPort=${ports[index]}`],
    // By default no more than 60 from one address; the page for administrators would take a port.
    ...['maxClientCnxns=0', 'admin.enableServer=false', '4lw.commands.whitelist=srvr'],
    ...peers,
  ];
  const file = join(home, 'zoo.cfg');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

async function untilItServes(port: number, child: Child | undefined): Promise<void> {
  const serves = async (): Promise<boolean> => /^Mode: (leader|follower)/m.test(await askFour(port, 'srvr'));
  const failure = (): string | undefined => (child?.exit() === undefined ? undefined : 'it has ended');
  const limits = { timeoutMs: START_WITHIN_MS, everyMs: 100, failure };
  await until(`ZooKeeper on port ${port} serves`, serves, limits).catch(async (cause: Error) => {
    const lines = child === undefined ? [] : await lastLines(child.logFile, 3);
    throw new StartError(`${cause.message}; its log ends with: ${lines.join(' | ')}`, { cause });
  });
}

/** One of ZooKeeper's commands of four letters; empty while nobody answers. */
async function askFour(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(command);
  return text(socket).catch(() => '');
}
