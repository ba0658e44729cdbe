/**
 * The benchmark: `npm run bench`, also against a cluster that `npm start` runs. See docs/MEASUREMENTS.md.
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BALANCER_STRATEGIES, type BalancerStrategy } from '@ringleader/balancer';
import { StartError } from '@ringleader/server-processes';
import { Command, InvalidArgumentError } from 'commander';
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
import { endable } from './harness/endable.js';
import { checkWritable } from './harness/result-file.js';
import { declareFlags, listOf, nameOf, numberOf, settingsOf, wholeOf } from './harness/settings.js';
import { placementReport } from './placement-report.js';
import { placementScale } from './placement-scale.js';
import { findCluster } from './running-cluster.js';
import { storeReport } from './store-report.js';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

async function failover(options: { readonly data: string; readonly trials: number }): Promise<void> {
  const cluster = await findCluster(options.data);
  const url = cluster.gatewayUrls[0] ?? '';
  const shards = (await cluster.processes()).filter(({ service }) => service === 'shard');
  const trials: FailoverTrial[] = [];
  for (let n = 0; n < options.trials; n += 1) {
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

async function leaderFailover(options: { readonly data: string; readonly trials: number }): Promise<void> {
  await findCluster(options.data);
  const failover = await LeaderFailover.connect(options.data);
  const trials: LeaderTrial[] = [];
  for (let n = 0; n < options.trials; n += 1) {
    const trial = await failover.trial();
    trials.push(trial);
    print(`${trial.leader}: ${trial.first.toFixed(0)} to ${trial.last.toFixed(0)}`);
  }
  await failover.close();
  print(leaderReport(trials));
}

interface CoordinatorOptions {
  readonly clients: readonly number[];
  readonly watchers: number;
  readonly workloads: readonly string[];
  readonly seconds: number;
  readonly warmUp: number;
  readonly etcd?: string;
  readonly nodeFlags?: string;
}

async function coordinators(options: CoordinatorOptions, ended: AbortSignal): Promise<void> {
  const nodeFlags = (options.nodeFlags ?? '').split(' ').filter((flag) => flag !== '');
  const stores: MeasuredStore[] = [];
  try {
    if (options.etcd !== undefined) stores.push(await startEtcdStore(options.etcd));
    stores.push(await startCoordinators({ nodeFlags }));
    const extent = {
      clients: options.clients,
      watchers: options.watchers,
      workloads: options.workloads,
      durationMs: options.seconds * 1_000,
      warmUpMs: options.warmUp * 1_000,
      ended,
    };
    print(tableOf(await compare(stores, extent)));
  } finally {
    await Promise.all(stores.map((store) => store.stop()));
  }
}

interface BalanceFlags {
  readonly data: string;
  readonly strategies: readonly BalancerStrategy[];
  readonly rounds: number;
  readonly seconds: number;
  readonly rate: number;
  readonly pause: number;
}

async function balance(flags: BalanceFlags, ended: AbortSignal): Promise<void> {
  const cluster = await findCluster(flags.data);
  const options = {
    strategies: flags.strategies,
    rounds: flags.rounds,
    roundMs: flags.seconds * 1_000,
    readsPerSecond: flags.rate,
    pauseMs: flags.pause,
    ended,
  };
  print(await balanceReport(cluster, options));
}

interface ElasticFlags {
  readonly keys: number;
  readonly valueBytes: number;
  readonly rate: number;
  readonly quiet: number;
  readonly svg?: string;
}

async function elastic(flags: ElasticFlags): Promise<void> {
  await checkWritable(flags.svg);
  const { report, svg, faults } = await runElastic({
    keys: flags.keys,
    valueBytes: flags.valueBytes,
    perSecond: flags.rate,
    shardsAdded: 3,
    quietSeconds: flags.quiet,
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

function powerOfTwo(text: string): number {
  const value = wholeOf(16, 16_384)(text);
  if (Number.isInteger(Math.log2(value))) return value;
  throw new InvalidArgumentError(`"${text}" is no power of two.`);
}

const program = new Command('npm run bench --').description(
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
  .option('--trials <n>', 'kills', wholeOf(1, 10_000), 20)
  .action(failover);
program
  .command('leader-failover')
  .description("time from kill -9 of the coordinators' leader to the next acknowledged write")
  .option(...DATA)
  .option('--trials <n>', 'kills', wholeOf(1, 10_000), 50)
  .action(leaderFailover);
program
  .command('balance')
  .description('latency of stale reads, by strategy, while a shard stands still for a part of each second')
  .option(...DATA)
  .option('--strategies <list>', 'which, by commas', listOf(nameOf('strategy', BALANCER_STRATEGIES)), [
    ...BALANCER_STRATEGIES,
  ])
  .option('--rounds <n>', 'how often all of them are measured, in turn', wholeOf(1, 1_000), 3)
  .option('--seconds <n>', 'how long one of them is measured', numberOf(0.1, 3_600), 8)
  .option('--rate <n>', 'reads in a second', numberOf(1, 100_000), 400)
  .option('--pause <ms>', 'how long the shard stands in each second', wholeOf(0, 900), 200)
  .action((flags: BalanceFlags) => endable(note, (ended) => balance(flags, ended)));
program
  .command('elastic')
  .description('three shards, then six, then three, under a constant load, while processes are killed')
  .option('--keys <n>', 'keys', wholeOf(1, 100_000_000), 1_000_000)
  .option('--value-bytes <n>', 'length of each value', wholeOf(1, 1_048_576), 1_024)
  .option('--rate <n>', 'requests a second, a tenth of them writes', wholeOf(1, 100_000), 600)
  .option('--quiet <n>', 'seconds before, between and after', numberOf(0, 3_600), 20)
  .option('--svg <file>', 'where the time line is drawn to')
  .action(elastic);
program
  .command('placement')
  .description('balance of the ring, and what moves from 3 to 4, 6 and 12 shards')
  .action(() => print(placementReport()));
program
  .command('placement-scale')
  .description('CPU time and memory of placement in a large cluster, without one')
  .option('--shards <n>', 'how many', wholeOf(3, 10_000), 1_000)
  .option('--partitions <n>', 'a power of two', powerOfTwo, 16_384)
  .action((scale: { readonly shards: number; readonly partitions: number }) => print(placementScale(scale)));
program
  .command('store')
  .description("CPU time of the coordinator's store by its size, without a cluster")
  .option(
    '--keys <list>',
    'numbers of keys, by commas',
    listOf(wholeOf(1_000, 100_000_000)),
    [100_000, 1_000_000],
  )
  .action(({ keys }: { readonly keys: readonly number[] }) => print(storeReport(keys)));
program
  .command('coordinator')
  .description('puts, linearizable reads and watches of three coordinators, without the rest of a cluster')
  .option('--clients <list>', 'numbers of clients, by commas', listOf(wholeOf(1, 4_096)), [1, 64, 256])
  .option('--workloads <list>', 'which, by commas', listOf(nameOf('workload', WORKLOADS)), [...WORKLOADS])
  .option('--watchers <n>', 'watchers of one prefix', wholeOf(1, 100_000), 1_000)
  .option('--seconds <n>', 'how long each workload is measured', numberOf(0.1, 3_600), 4)
  .option('--warm-up <n>', 'seconds of load before anything is measured', numberOf(0, 3_600), 8)
  .option('--etcd <program>', 'an etcd program: three nodes of it are measured in the same run, by gRPC')
  .option('--node-flags <flags>', "flags for each coordinator's Node, to profile it")
  .action((flags: CoordinatorOptions) => endable(note, (ended) => coordinators(flags, ended)));
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  note(`✗ ${error.message}`);
  process.exitCode = 1;
}
