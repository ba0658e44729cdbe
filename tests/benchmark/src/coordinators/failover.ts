/**
 * How long after `kill -9` of the coordinators' leader writes are acknowledged again: of several clients that write without a
 * pause, the first that has a write acknowledged which it made after the kill, and the last one.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inboxPrefix, OperationalError } from '@ringleader/contracts';
import { CoordinationClient } from '@ringleader/coordination';
import { connectNats, UNLOGGED } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { until } from '@ringleader/testing-servers';
import { readClusterState } from '@ringleader/tool-local-cluster';
import { percentile } from '../harness/statistics.js';

/** Milliseconds from the kill. */
export interface LeaderTrial {
  readonly leader: string;
  readonly first: number;
  readonly last: number;
}

const CLUSTER = 'local';
const CLIENTS = 8;
const SEATS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const SPEAKER = { service: 'operator', member: 'benchmark' } as const;
const WAIT = { timeoutMs: 60_000, everyMs: 20 };
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** Writes one after the other, whatever becomes of them. */
class Writer {
  /** When its first write was acknowledged of those that it made after the last kill. */
  recoveredAt: number | null = null;
  #killedAt = Number.POSITIVE_INFINITY;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(client: CoordinationClient, key: string) {
    this.#done = this.#write(client, key);
  }

  killed(at: number): void {
    this.recoveredAt = null;
    this.#killedAt = at;
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#done;
  }

  async #write(client: CoordinationClient, key: string): Promise<void> {
    for (let n = 0; !this.#isStopped; n++) {
      const invokedAt = performance.now();
      try {
        await client.txn({
          compare: [],
          success: [{ kind: 'put', key, value: String(n) }],
          failure: [],
        });
        if (invokedAt > this.#killedAt) this.recoveredAt ??= performance.now();
        await delay(2);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
      }
    }
  }
}

/** The cluster that `npm start` runs on the folder. */
export class LeaderFailover {
  private constructor(
    private readonly folder: string,
    private readonly link: NatsLink,
    private readonly clients: readonly CoordinationClient[],
    private readonly writers: readonly Writer[],
  ) {}

  static async connect(folder: string): Promise<LeaderFailover> {
    const { natsUrl } = await readClusterState(folder);
    const { service } = SPEAKER;
    const file = join(folder, 'nats-passwords', service);
    const link = await connectNats(
      {
        servers: natsUrl.split(','),
        name: SPEAKER.member,
        inboxPrefix: inboxPrefix(CLUSTER, SPEAKER),
        identity: { kind: 'passwordFile', user: service, file },
      },
      UNLOGGED,
    );
    const options = { link, cluster: CLUSTER, speaker: SPEAKER, clock };
    const clients = Array.from({ length: CLIENTS }, () => new CoordinationClient(options));
    const writers = clients.map((client, i) => new Writer(client, `failover/${i}`));
    return new LeaderFailover(folder, link, clients, writers);
  }

  async trial(): Promise<LeaderTrial> {
    const leader = await this.#settledLeader();
    const { processes } = await readClusterState(this.folder);
    const pid = processes.find(({ member }) => member === leader)?.pid ?? null;
    if (pid === null) throw new Error(`${leader} does not run`);
    // Not always as long after a heartbeat.
    await delay(Math.random() * 500);
    process.kill(pid, 'SIGKILL');
    const killedAt = performance.now();
    for (const writer of this.writers) writer.killed(killedAt);
    const haveAll = (): boolean => this.writers.every(({ recoveredAt }) => recoveredAt !== null);
    await until('writes are acknowledged again', haveAll, WAIT);
    const times = this.writers.map(({ recoveredAt }) => (recoveredAt ?? 0) - killedAt);
    return { leader, first: Math.min(...times), last: Math.max(...times) };
  }

  async close(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.stop()));
    await Promise.all(this.clients.map((client) => client.close()));
    await this.link.close();
  }

  /** Once all members follow it and have what it has. */
  async #settledLeader(): Promise<string> {
    const { processes } = await readClusterState(this.folder);
    const count = processes.filter(({ service }) => service === 'coordinator').length;
    let leader = 0;
    const isSettled = async (): Promise<boolean> => {
      const client = this.clients[0]!;
      const all = await Promise.all(SEATS.map((seat) => client.status(seat, { timeoutMs: 500 })));
      const members = all.filter((status) => status !== null);
      leader = members[0]?.leader ?? 0;
      const committed = Math.max(...members.map(({ commitIndex }) => commitIndex));
      return (
        leader !== 0 &&
        members.length === count &&
        members.every((status) => status.leader === leader && status.appliedIndex > committed - 500)
      );
    };
    await until('all coordinators follow one leader', isSettled, WAIT);
    return `coordinator-${leader}`;
  }
}

export function leaderReport(trials: readonly LeaderTrial[]): string {
  const line = (name: string, times: readonly number[]): string => {
    const sorted = times.toSorted((a, b) => a - b);
    return `| ${[name, ...[0, 0.5, 0.9, 0.99, 1].map((p) => percentile(sorted, p).toFixed(0))].join(' | ')} |`;
  };
  return [
    `${trials.length} trials, milliseconds from kill -9 of the leader to an acknowledged write that was made after it`,
    '',
    '| | min | p50 | p90 | p99 | max |',
    '| --- | --- | --- | --- | --- | --- |',
    line(
      'the first client',
      trials.map(({ first }) => first),
    ),
    line(
      `the last of ${CLIENTS} clients`,
      trials.map(({ last }) => last),
    ),
  ].join('\n');
}
