/** `npm run bench`: from flags to tables and files. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StartError } from '@ringleader/server-processes';
import { endable } from './endable.js';
import { commitOf, machineOf, versionsOf } from './environment.js';
import { GoLoad, goVersion } from './go-load.js';
import type { Load } from './load.js';
import { NodeLoad } from './node-load.js';
import { pageOf } from './page.js';
import type { Results } from './results.js';
import { checkWritable } from './result-file.js';
import { runBenchmark } from './run.js';
import type { Settings, TargetName } from './settings.js';
import { tableOf } from './table.js';
import { etcdTarget, locateEtcd } from './targets/etcd.js';
import { ringleaderTargets } from './targets/ringleader.js';
import type { Target } from './targets/target.js';
import { locateZooKeeper, zooKeeperTarget } from './targets/zookeeper.js';

export interface Terminal {
  /** What is measured. */
  readonly print: (text: string) => void;
  /** What goes on. */
  readonly note: (text: string) => void;
  /** The PATH of the environment. */
  readonly searchPath: string;
}

/** The peer that ratios are to, if it is measured. */
const REFERENCES = ['etcd', 'zookeeper'];

export async function bench(settings: Settings, terminal: Terminal): Promise<void> {
  await endable(terminal.note, (ended) => measure(settings, terminal, ended));
}

async function measure(settings: Settings, terminal: Terminal, ended: AbortSignal): Promise<void> {
  const { print, note, searchPath } = terminal;
  await checkFiles(settings);
  const startedAt = new Date().toISOString();
  const commit = await commitOf();
  const servers = await versionsOf(settings, searchPath);
  const load = await loadOf(settings, ended, note);
  const { targets, missing } = await targetsOf(settings, commit, searchPath, load);
  for (const text of missing) note(text);
  const reference = referenceOf(
    settings,
    targets.map(({ name }) => name),
  );
  const go = load instanceof GoLoad ? { go: (await goVersion()) ?? '' } : {};
  const versions = { ...servers, ...go };
  const measured = await runBenchmark({ settings, targets, reference, load, ended, note });
  const results: Results = {
    format: 1,
    startedAt,
    endedAt: new Date().toISOString(),
    commit,
    machine: await machineOf(),
    versions,
    load: load.description,
    settings,
    targets: targets.map(({ name, version, description }) => ({ name, version, description })),
    reference,
    series: measured.series,
    idle: measured.idle,
    memory: measured.memory,
    notes: [...missing, ...measured.notes],
  };
  print(tableOf(results));
  if (settings.json !== undefined) await writeFile(settings.json, `${JSON.stringify(results, null, 1)}\n`);
  if (settings.html !== undefined) await writeFile(settings.html, pageOf(results));
}

async function checkFiles({ json, html }: Pick<Settings, 'json' | 'html'>): Promise<void> {
  if (json !== undefined && html !== undefined && resolve(json) === resolve(html))
    throw new StartError('--json and --html must be two files: one would be written over the other.');
  for (const file of [json, html]) await checkWritable(file);
}

function referenceOf({ reference }: Settings, names: readonly string[]): string {
  if (reference === undefined) return REFERENCES.find((name) => names.includes(name)) ?? names[0] ?? '';
  if (names.includes(reference)) return reference;
  throw new StartError(
    `"${reference}" is not measured, so that nothing can be told relative to it: there are ${names.join(', ')}.`,
  );
}

async function loadOf({ load }: Settings, ended: AbortSignal, note: (text: string) => void): Promise<Load> {
  const go = load === 'node' ? null : await goVersion();
  if (go !== null) return GoLoad.build(ended);
  if (load === 'go')
    throw new StartError('There is no Go on PATH: install Go 1.26 (https://go.dev/dl), or use --load node.');
  if (load === 'auto')
    note(
      'There is no Go on PATH: the load is made by Node, which costs more, and etcd is not asked by its own client.',
    );
  return new NodeLoad(ended);
}

interface Found {
  readonly targets: readonly Target[];
  /** Of those that nobody named and that cannot be had. */
  readonly missing: readonly string[];
}

async function targetsOf(settings: Settings, commit: string, searchPath: string, load: Load): Promise<Found> {
  const targets: Target[] = [];
  const missing: string[] = [];
  const start: Readonly<Record<TargetName, () => Promise<Target[]> | Target[]>> = {
    ringleader: () => ringleaderTargets(settings, commit),
    etcd: async () => [await etcdTarget(await locateEtcd(settings.etcd, searchPath))],
    zookeeper: async () => {
      if (!load.can('zookeeper', 'write'))
        throw new StartError('Only the load in Go can ask ZooKeeper: install Go 1.26.');
      return [await zooKeeperTarget(locateZooKeeper(settings.zookeeper), searchPath)];
    },
  };
  const isNamed = (name: TargetName): boolean =>
    settings.areTargetsNamed || (name !== 'ringleader' && settings[name] !== undefined);
  for (const name of settings.targets) {
    try {
      targets.push(...(await start[name]()));
    } catch (error) {
      if (!(error instanceof StartError) || isNamed(name)) throw error;
      missing.push(`${name} was left out: ${error.message}`);
    }
  }
  return { targets, missing };
}
