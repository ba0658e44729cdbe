/**
 * The benchmark: `pnpm bench` against a cluster that `npm start` runs. See docs/MEASUREMENTS.md.
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BALANCER_STRATEGIES, type BalancerStrategy } from '@ringleader/balancer';
import { StartError } from '@ringleader/server-processes';
import { Command } from 'commander';
import { balanceReport } from './balance.js';
import { startEtcdStore } from './coordinators/etcd-grpc.js';
import { LeaderFailover, leaderReport } from './coordinators/failover.js';
import type { LeaderTrial } from './coordinators/failover.js';
import { startCoordinators } from './coordinators/group.js';
import type { MeasuredStore } from './coordinators/measured-store.js';
import { WORKLOADS, compare, tableOf } from './coordinators/report.js';
import { runElastic } from './elastic/elastic.js';
import { failoverReport, failoverTrial, readCluster } from './failover.js';
import type { FailoverTrial } from './failover.js';
import { bench } from './harness/bench.js';
import { declareFlags, settingsOf } from './harness/settings.js';
import { placementReport } from './placement-report.js';
import { placementScale } from './placement-scale.js';
import { findCluster } from './running-cluster.js';
import { storeReport } from './store-report.js';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

async function failover(options: { readonly data: string; readonly trials: string }): Promise<void> {
  const cluster = await findCluster(options.data);
  const url = cluster.gatewayUrls[0] ?? '';
  const shards = (await cluster.processes()).filter(({ service }) => service === 'shard');
  const trials: FailoverTrial[] = [];
  for (let n = 0; n < Number(options.trials); n += 1) {
    const victim = shards[n % shards.length]?.member ?? '';
    const trial = await failoverTrial(cluster, url, victim);
    trials.push(trial);
    print(`${victim}: ${trial.recoveryMs.map((ms) => ms.toFixed(0)).join(' ')}`);
    await untilBack(url, trial);
  }
  print(failoverReport(trials));
}

/** A death of which nobody has heard yet leaves the cluster healthy too: the new process must be the registered one. */
async function untilBack(url: string, { victim, startedAt }: FailoverTrial): Promise<void> {
  for (;;) {
    const { health, members } = await readCluster(url);
    const isBack = members.some(({ id, startedAt: now }) => id === victim && now !== startedAt);
    if (health === 'healthy' && isBack) return;
    await delay(20);
  }
}

async function leaderFailover(options: { readonly data: string; readonly trials: string }): Promise<void> {
  const failover = await LeaderFailover.connect(options.data);
  const trials: LeaderTrial[] = [];
  for (let n = 0; n < Number(options.trials); n += 1) {
    const trial = await failover.trial();
    trials.push(trial);
    print(`${trial.leader}: ${trial.first.toFixed(0)} to ${trial.last.toFixed(0)}`);
  }
  await failover.close();
  print(leaderReport(trials));
}

interface CoordinatorOptions {
  readonly clients: string;
  readonly watchers: string;
  readonly workloads: string;
  readonly seconds: string;
  readonly warmUp: string;
  readonly etcd?: string;
  readonly nodeFlags?: string;
}

async function coordinators(options: CoordinatorOptions): Promise<void> {
  const nodeFlags = (options.nodeFlags ?? '').split(' ').filter((flag) => flag !== '');
  const stores: MeasuredStore[] = [];
  try {
    if (options.etcd !== undefined) stores.push(await startEtcdStore(options.etcd));
    stores.push(await startCoordinators({ nodeFlags }));
    const extent = {
      clients: options.clients.split(',').map(Number),
      watchers: Number(options.watchers),
      workloads: options.workloads.split(','),
      durationMs: Number(options.seconds) * 1_000,
      warmUpMs: Number(options.warmUp) * 1_000,
    };
    print(tableOf(await compare(stores, extent)));
  } finally {
    await Promise.all(stores.map((store) => store.stop()));
  }
}

interface BalanceFlags {
  readonly data: string;
  readonly strategies: string;
  readonly rounds: string;
  readonly seconds: string;
  readonly rate: string;
  readonly pause: string;
}

async function balance(flags: BalanceFlags): Promise<void> {
  const cluster = await findCluster(flags.data);
  const options = {
    strategies: flags.strategies.split(',') as BalancerStrategy[],
    rounds: Number(flags.rounds),
    roundMs: Number(flags.seconds) * 1_000,
    readsPerSecond: Number(flags.rate),
    pauseMs: Number(flags.pause),
  };
  print(await balanceReport(cluster, options));
}

interface ElasticFlags {
  readonly keys: string;
  readonly valueBytes: string;
  readonly rate: string;
  readonly quiet: string;
  readonly svg?: string;
}

async function elastic(flags: ElasticFlags): Promise<void> {
  const { report, svg, faults } = await runElastic({
    keys: Number(flags.keys),
    valueBytes: Number(flags.valueBytes),
    perSecond: Number(flags.rate),
    shardsAdded: 3,
    quietSeconds: Number(flags.quiet),
    seed: 1,
    note: print,
  });
  print(report);
  for (const fault of faults.slice(0, FAULTS_SHOWN)) print(fault);
  print(`${faults.length} faults`);
  if (flags.svg !== undefined) await writeFile(flags.svg, svg);
  if (faults.length > 0) process.exitCode = 1;
}

const FAULTS_SHOWN = 20;

const program = new Command('pnpm bench --').description(
  'Measures Ringleader on this machine: beside its peers by default, or one thing of it by name.',
);
const DATA: [string, string, string] = ['--data <folder>', "the cluster's data folder", '.ringleader'];
declareFlags(
  program
    .command('load', { isDefault: true })
    .description('throughput, latency, CPU and memory of Ringleader, etcd and ZooKeeper, side by side'),
).action((flags: Record<string, unknown>) =>
  bench(settingsOf(flags), { print, note, searchPath: process.env['PATH'] ?? '' }),
);
program
  .command('failover')
  .description('time from kill -9 of a shard to the next acknowledged write on the partitions it led')
  .option(...DATA)
  .option('--trials <n>', 'kills', '20')
  .action(failover);
program
  .command('leader-failover')
  .description("time from kill -9 of the coordinators' leader to the next acknowledged write")
  .option(...DATA)
  .option('--trials <n>', 'kills', '50')
  .action(leaderFailover);
program
  .command('balance')
  .description('latency of stale reads, by strategy, while a shard stands still for a part of each second')
  .option(...DATA)
  .option('--strategies <list>', 'which, by commas', BALANCER_STRATEGIES.join())
  .option('--rounds <n>', 'how often all of them are measured, in turn', '3')
  .option('--seconds <n>', 'how long one of them is measured', '8')
  .option('--rate <n>', 'reads in a second', '400')
  .option('--pause <ms>', 'how long the shard stands in each second', '200')
  .action(balance);
program
  .command('elastic')
  .description('three shards, then six, then three, under a constant load, while processes are killed')
  .option('--keys <n>', 'keys', '1000000')
  .option('--value-bytes <n>', 'length of each value', '1024')
  .option('--rate <n>', 'requests a second, a tenth of them writes', '600')
  .option('--quiet <n>', 'seconds before, between and after', '20')
  .option('--svg <file>', 'where the time line is drawn to')
  .action(elastic);
program
  .command('placement')
  .description('balance of the ring, and what moves from 3 to 4, 6 and 12 shards')
  .action(() => print(placementReport()));
program
  .command('placement-scale')
  .description('CPU time and memory of placement in a large cluster, without one')
  .option('--shards <n>', 'how many', '1000')
  .option('--partitions <n>', 'a power of two', '16384')
  .action(({ shards, partitions }: { readonly shards: string; readonly partitions: string }) =>
    print(placementScale({ shards: Number(shards), partitions: Number(partitions) })),
  );
program
  .command('store')
  .description("CPU time of the coordinator's store by its size, without a cluster")
  .option('--keys <list>', 'numbers of keys, by commas', '100000,1000000')
  .action(({ keys }: { readonly keys: string }) => print(storeReport(keys.split(',').map(Number))));
program
  .command('coordinator')
  .description('puts, linearizable reads and watches of three coordinators, without the rest of a cluster')
  .option('--clients <list>', 'numbers of clients, by commas', '1,64,256')
  .option('--workloads <list>', 'which, by commas', WORKLOADS.join())
  .option('--watchers <n>', 'watchers of one prefix', '1000')
  .option('--seconds <n>', 'how long each workload is measured', '4')
  .option('--warm-up <n>', 'seconds of load before anything is measured', '8')
  .option('--etcd <program>', 'an etcd program: three nodes of it are measured in the same run, by gRPC')
  .option('--node-flags <flags>', "flags for each coordinator's Node, to profile it")
  .action(coordinators);
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  note(`✗ ${error.message}`);
  process.exitCode = 1;
}
