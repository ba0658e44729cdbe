/** What is measured, as the flags of the command say it. */
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';

export const TARGETS = ['ringleader', 'etcd', 'zookeeper'] as const;
export type TargetName = (typeof TARGETS)[number];
export const WORKLOADS = ['write', 'read', 'mixed', 'batch', 'batch-cbor', 'watch'] as const;
export type Workload = (typeof WORKLOADS)[number];
/** An operation is a key of a batch. */
export const isBatch = (workload: Workload): boolean => workload.startsWith('batch');

/** Of requests a second: a number, or a part of what the reference target did at most in the closed loop. */
export type Rate =
  | { readonly kind: 'absolute'; readonly perSecond: number }
  | { readonly kind: 'relative'; readonly part: number };

export interface Settings {
  readonly targets: readonly TargetName[];
  /** They were named, so that one that cannot be had is an error. */
  readonly areTargetsNamed: boolean;
  readonly workloads: readonly Workload[];
  readonly clients: readonly number[];
  readonly sizes: readonly number[];
  readonly rates: readonly Rate[];
  readonly rounds: number;
  readonly seconds: number;
  /** Load before each measurement. */
  readonly settleSeconds: number;
  /** Load on each target before the first round. */
  readonly warmUpSeconds: number;
  /** Without load: before everything, to see what a target takes by itself, and after a fill. */
  readonly idleSeconds: number;
  readonly keys: number;
  readonly keyPrefix: string;
  readonly batchSize: number;
  /** Written by each target at the end, to see what memory they take; 0: not measured. */
  readonly memoryKeys: number;
  readonly shards: readonly number[];
  readonly gateways: readonly number[];
  readonly load: 'auto' | 'go' | 'node';
  readonly alone: boolean;
  /** The target that ratios are to, if not the first peer. */
  readonly reference?: string;
  readonly etcd?: string;
  readonly zookeeper?: string;
  readonly data?: string;
  /** A whole path: clusters that are started take their PostgreSQL from there. */
  readonly postgres?: string;
  readonly beside?: string;
  readonly json?: string;
  readonly html?: string;
}

type Defaults = Pick<
  Settings,
  | 'workloads'
  | 'clients'
  | 'sizes'
  | 'rates'
  | 'rounds'
  | 'seconds'
  | 'settleSeconds'
  | 'warmUpSeconds'
  | 'idleSeconds'
  | 'memoryKeys'
>;

/** What decides whether etcd or we are faster at all: about two minutes with three targets. */
const QUICK: Defaults = {
  workloads: ['write', 'read', 'batch'],
  clients: [64],
  sizes: [100],
  rates: [],
  rounds: 3,
  seconds: 2,
  settleSeconds: 1,
  warmUpSeconds: 4,
  idleSeconds: 2,
  memoryKeys: 0,
};

const FULL: Defaults = {
  workloads: WORKLOADS,
  clients: [1, 64, 256],
  sizes: [100, 1_024, 65_536],
  rates: [{ kind: 'relative', part: 0.5 }],
  rounds: 5,
  seconds: 5,
  settleSeconds: 1,
  warmUpSeconds: 60,
  idleSeconds: 5,
  memoryKeys: 1_000_000,
};

const isOneOf = <T extends string>(names: readonly T[], text: string): text is T =>
  (names as readonly string[]).includes(text);

export const listOf =
  <T>(parse: (text: string) => T) =>
  (text: string): T[] => [...new Set(text.split(',').map((part) => parse(part.trim())))];

export const nameOf =
  <T extends string>(what: string, names: readonly T[]) =>
  (text: string): T => {
    if (isOneOf(names, text)) return text;
    throw new InvalidArgumentError(`There is no ${what} "${text}": there are ${names.join(', ')}.`);
  };

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 1_024, mib: 1_048_576 };

function bytesOf(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  const bytes = Number(digits) * (factor ?? Number.NaN);
  if (digits !== '' && bytes >= 1 && bytes <= 1_048_576) return bytes;
  throw new InvalidArgumentError(`"${text}" is no size of a value: from 1 to 1MiB, as 100, 1KiB or 64KiB.`);
}

export const wholeOf =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`"${text}" is no whole number from ${min} to ${max}.`);
  };

export const numberOf =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`"${text}" is no number from ${min} to ${max}.`);
  };

function rateOf(text: string): Rate {
  const isRelative = text.endsWith('x');
  const value = Number(isRelative ? text.slice(0, -1) : text);
  if (/^[\d.]+x?$/.test(text) && value > 0 && value <= 1e6)
    return isRelative ? { kind: 'relative', part: value } : { kind: 'absolute', perSecond: value };
  throw new InvalidArgumentError(
    `"${text}" is no rate: requests a second, as 2000, or a part of what the first peer did at most, as 0.5x; "none" for no open loop.`,
  );
}

const ratesOf = (text: string): Rate[] => (text === 'none' ? [] : listOf(rateOf)(text));

function prefixOf(text: string): string {
  if (/^[\w{}./-]{1,200}$/.test(text) && !text.startsWith('/')) return text;
  throw new InvalidArgumentError(
    `"${text}" is no prefix of keys: letters, digits and . - _ { } /, and no / before them.`,
  );
}

/** Declares the flags; `settingsOf` reads what they were given. */
export function declareFlags(command: Command): Command {
  return command
    .option(
      '--quick',
      'two minutes: writes, reads and batches of 100-byte values by 64 clients, three rounds',
    )
    .option('--targets <list>', `which of ${TARGETS.join()}`, listOf(nameOf('target', TARGETS)))
    .option('--workloads <list>', `which of ${WORKLOADS.join()}`, listOf(nameOf('workload', WORKLOADS)))
    .option('--clients <list>', 'requests under way at a time (1,64,256)', listOf(wholeOf(1, 4_096)))
    .option('--sizes <list>', 'bytes of a value (100,1KiB,64KiB)', listOf(bytesOf))
    .option(
      '--rates <list>',
      'open loops: requests a second, a part of the peer as 0.5x, or none (0.5x)',
      ratesOf,
    )
    .option('--rounds <n>', 'how often all is measured, the targets in turn (5)', wholeOf(1, 1_000))
    .option('--seconds <n>', 'how long each measurement is (5)', numberOf(0.1, 3_600))
    .option('--settle <n>', 'seconds of the same load before each measurement (1)', numberOf(0, 600))
    .option('--warm-up <n>', 'seconds of load on each target before the first round (60)', numberOf(0, 3_600))
    .option('--idle <n>', 'seconds without load, to see what a target takes by itself (5)', numberOf(0, 600))
    .option('--keys <n>', 'over how many keys requests are spread', wholeOf(100, 10_000_000), 20_000)
    .option('--key-prefix <text>', 'of all keys; {tag}/ keeps them in one partition', prefixOf, 'bench/')
    .option('--batch <n>', 'keys in a request of the workloads batch and batch-cbor', wholeOf(2, 100), 50)
    .option('--memory-keys <n>', 'keys to measure memory with, 0 for not at all (1000000)', wholeOf(0, 1e8))
    .option('--shards <list>', 'a cluster of Ringleader for each number', listOf(wholeOf(1, 64)), [3])
    .option('--gateways <list>', 'and for each of these', listOf(wholeOf(1, 16)), [1])
    .option(
      '--alone',
      'each target runs only while it is measured: started and warmed up anew in every round',
    )
    .option(
      '--load <kind>',
      'what makes the load: go, node, or go where it is there',
      nameOf('load', ['auto', 'go', 'node']),
      'auto',
    )
    .option(
      '--reference <target>',
      'to which target ratios are, by its name in the table (etcd, else the first)',
    )
    .option('--etcd <program>', 'the etcd to measure')
    .option('--zookeeper <jar>', "ZooKeeper's jar, its libraries where its manifest names them")
    .option(
      '--data <folder>',
      'measure the cluster that `npm start` runs on this folder, in place of a new one',
    )
    .option(
      '--postgres <folder>',
      "where new clusters of Ringleader take initdb and postgres from, 15 or newer, in place of npm's",
      (folder) => resolve(folder),
    )
    .option('--beside <folder>', 'measure this one too, as the target "beside"')
    .option('--json <file>', 'where all that was measured is written')
    .option('--html <file>', 'where the same is drawn');
}

type Flags = Partial<Omit<Settings, 'areTargetsNamed'>> & {
  readonly quick?: boolean;
  readonly settle?: number;
  readonly warmUp?: number;
  readonly idle?: number;
  readonly batch?: number;
};

/** Commander has parsed each flag; here they become one whole. */
export function settingsOf(given: Readonly<Record<string, unknown>>): Settings {
  const { quick = false, settle, warmUp, idle, batch = 50, ...flags } = given as Flags;
  const usual = quick ? QUICK : FULL;
  return {
    ...usual,
    targets: TARGETS,
    areTargetsNamed: flags.targets !== undefined,
    keys: 20_000,
    keyPrefix: 'bench/',
    shards: [3],
    gateways: [1],
    load: 'auto',
    alone: false,
    ...flags,
    batchSize: batch,
    settleSeconds: settle ?? usual.settleSeconds,
    warmUpSeconds: warmUp ?? usual.warmUpSeconds,
    idleSeconds: idle ?? usual.idleSeconds,
  };
}
