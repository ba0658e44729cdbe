/** The run: starts targets, measures each cell on each of them in turn, round after round, and stops all of it again. */
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '@ringleader/server-processes';
import type { Load, LoadOrder } from './load.js';
import {
  cellName,
  isSameCell,
  sizeName,
  type Cell,
  type Idle,
  type Memory,
  type Round,
  type Series,
} from './results.js';
import { isBatch, type Settings } from './settings.js';
import { interleaved, spreadOf } from './statistics.js';
import {
  cpuMsByKind,
  endedOf,
  fitsInARequest,
  memoryBytesByKind,
  minus,
  type ByKind,
  type RunningTarget,
  type Target,
  type TargetProcess,
} from './targets/target.js';

/** At most so many bytes of values are written before reads are measured. */
const FILL_BYTES_MAX = 64 * 2 ** 20;

export interface RunOptions {
  readonly settings: Settings;
  readonly targets: readonly Target[];
  /** Ratios are to it, and relative rates are a part of what it does at most. */
  readonly reference: string;
  readonly load: Load;
  readonly ended: AbortSignal;
  readonly note: (text: string) => void;
}

export interface Measured {
  readonly series: readonly Series[];
  readonly idle: readonly Idle[];
  readonly memory: readonly Memory[];
  readonly notes: readonly string[];
}

export async function runBenchmark(options: RunOptions): Promise<Measured> {
  const run = new Run(options);
  try {
    await run.all();
  } finally {
    await run.stop();
  }
  return run;
}

interface Active {
  readonly target: Target;
  readonly running: RunningTarget;
}

class Run implements Measured {
  readonly series: (Series & { readonly rounds: Round[] })[] = [];
  readonly idle: Idle[] = [];
  readonly memory: Memory[] = [];
  readonly #notes = new Set<string>();
  readonly #options: RunOptions;
  readonly #active = new Map<string, RunningTarget>();

  constructor(options: RunOptions) {
    this.#options = options;
  }

  get notes(): string[] {
    return [...this.#notes];
  }

  async all(): Promise<void> {
    const { settings, targets } = this.#options;
    if (!settings.alone) for (const target of targets) await this.#start(target);
    const closed = this.#cells(null);
    await this.#rounds(closed);
    const open = settings.rates.flatMap((rate) =>
      this.#cells(null)
        // Half a rate for one client at a time would be no open loop; watches have their own writer.
        .filter(({ workload, clients }) => workload !== 'watch' && clients === Math.max(...settings.clients))
        .map((cell) => ({
          ...cell,
          perSecond: rate.kind === 'absolute' ? rate.perSecond : this.#mostOf(cell) * rate.part,
        })),
    );
    const worthwhile = open.filter(({ perSecond }) => perSecond >= 1);
    for (const cell of open.filter((each) => !worthwhile.includes(each)))
      this.#tell(
        `${cellName({ ...cell, perSecond: null })}: a rate of its own was left out: ${this.#options.reference} did less than one request a second, or none.`,
      );
    await this.#rounds(worthwhile);
    if (settings.memoryKeys > 0)
      for (const target of targets) {
        const what = 'memory could not be measured';
        await this.#tried(target, what, () => this.#measureMemory(target));
        if (settings.alone) await this.#end(target);
      }
  }

  #tell(text: string): void {
    this.#notes.add(text);
    this.#options.note(text);
  }

  /** What befalls one target in the middle of a run is told: what was measured before, and the others, are worth as much. */
  async #tried(target: Target, what: string, perform: () => Promise<unknown>): Promise<boolean> {
    try {
      await perform();
      return true;
    } catch (error) {
      this.#options.ended.throwIfAborted();
      this.#tell(`${target.name}: ${what}: ${(error as Error).message}`);
      return false;
    }
  }

  /** All that was started, whatever else went wrong. */
  async stop(): Promise<void> {
    const running = [...this.#active.values()];
    this.#active.clear();
    const ends = await Promise.allSettled(running.map((target) => target.stop()));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw new Error('a target could not be stopped', { cause: failed.reason });
  }

  #cells(perSecond: null): Cell[] {
    const { settings } = this.#options;
    const { workloads, sizes, clients } = settings;
    return workloads.flatMap((workload) =>
      sizes.flatMap((valueBytes) => {
        if (isBatch(workload) && !fitsInARequest(settings, valueBytes)) {
          const why = 'more than etcd (1.5 MiB) and ZooKeeper (1 MiB) take in a request by default';
          this.#notes.add(
            `Batches of ${settings.batchSize} values of ${sizeName(valueBytes)} were left out: ${why}.`,
          );
          return [];
        }
        // What is delivered to watchers is one value.
        if (workload === 'watch' && valueBytes !== sizes[0]) return [];
        return clients.map((count) => ({ workload, clients: count, valueBytes, perSecond }));
      }),
    );
  }

  async #rounds(cells: readonly Cell[]): Promise<void> {
    const { settings, targets, note } = this.#options;
    if (cells.length === 0) return;
    for (let round = 0; round < settings.rounds; round += 1) {
      note(`round ${round + 1} of ${settings.rounds}`);
      if (settings.alone) {
        for (const target of interleaved(targets, round)) await this.#roundAlone(target, cells, round);
      } else {
        for (const cell of cells)
          for (const target of interleaved(targets, round)) await this.#measure(target, cell, round);
        for (const target of targets)
          await this.#tried(target, 'its disk could not be tidied', async () =>
            this.#active.get(target.name)?.tidy(),
          );
      }
    }
  }

  async #roundAlone(target: Target, cells: readonly Cell[], round: number): Promise<void> {
    const what = `could not be started for round ${round + 1}`;
    if (await this.#tried(target, what, () => this.#start(target)))
      for (const cell of cells) await this.#measure(target, cell, round);
    await this.#end(target);
  }

  async #start(target: Target): Promise<Active> {
    const { settings, note, ended } = this.#options;
    ended.throwIfAborted();
    note(`${target.name}: starting`);
    const running = await target.start();
    this.#active.set(target.name, running);
    const active = { target, running };
    await this.#measureIdle(active);
    for (const valueBytes of settings.sizes)
      await this.#loadOf(active).fill(this.#order(active, { valueBytes }));
    if (settings.warmUpSeconds > 0) {
      note(`${target.name}: warming up for ${settings.warmUpSeconds} s`);
      await this.#warmUp(active);
    }
    return active;
  }

  async #warmUp(active: Active): Promise<void> {
    const { settings } = this.#options;
    const { workloads, clients, warmUpSeconds } = settings;
    const kinds = workloads.filter((workload) => workload !== 'watch');
    for (const workload of kinds) {
      const durationMs = Math.round((warmUpSeconds * 1_000) / kinds.length);
      const order = this.#order(active, { workload, clients: Math.max(...clients), durationMs });
      await this.#loadOf(active).run(order, () => undefined);
    }
  }

  async #end({ name }: Target): Promise<void> {
    const running = this.#active.get(name);
    this.#active.delete(name);
    await running?.stop();
  }

  #loadOf({ running }: Active, workload: Cell['workload'] = 'write'): Load {
    const { load } = this.#options;
    if (workload === 'watch' && running.watches !== undefined) return running.watches;
    return load;
  }

  #order({ running }: Active, wanted: Partial<LoadOrder>): LoadOrder {
    const { settings } = this.#options;
    const valueBytes = wanted.valueBytes ?? settings.sizes[0] ?? 100;
    return {
      kind: running.kind,
      endpoints: running.endpoints,
      workload: 'write',
      clients: 1,
      valueBytes,
      keyPrefix: `${settings.keyPrefix}${valueBytes}/`,
      keys: Math.max(
        2 * settings.batchSize,
        Math.min(settings.keys, Math.floor(FILL_BYTES_MAX / valueBytes)),
      ),
      batchSize: settings.batchSize,
      warmUpMs: 0,
      durationMs: 0,
      rate: 0,
      seed: 1,
      ...wanted,
    };
  }

  async #measure(target: Target, cell: Cell, round: number): Promise<void> {
    const { settings, note, ended } = this.#options;
    ended.throwIfAborted();
    const running = this.#active.get(target.name);
    if (running === undefined) throw new Error(`${target.name} does not run`);
    const active = { target, running };
    const load = this.#loadOf(active, cell.workload);
    if (!load.can(running.kind, cell.workload)) {
      this.#notes.add(`${target.name}: ${cell.workload} was left out: there is no client for it.`);
      return;
    }
    const order = this.#order(active, {
      ...cell,
      rate: cell.perSecond ?? 0,
      warmUpMs: Math.round(settings.settleSeconds * 1_000),
      durationMs: Math.round(settings.seconds * 1_000),
      seed: round + 1,
    });
    const measured = await this.#round(running, load, order, round).catch((error: unknown) => {
      ended.throwIfAborted();
      return (error as Error).message;
    });
    if (typeof measured === 'string') {
      // The others are worth measuring all the same, and so is what was measured before, whatever it was that failed.
      return this.#tell(
        `${target.name}: ${cellName(cell)}: round ${round + 1} could not be measured: ${measured}`,
      );
    }
    note(
      `${target.name}: ${cellName(cell)}: ${Math.round(measured.operationsPerSecond)}/s, p99 ${measured.percentiles['99'].toFixed(1)} ms`,
    );
    if (measured.failures > 0)
      this.#notes.add(
        `${target.name}: ${cellName(cell)}: ${measured.failures} failures in round ${round + 1}, the first: ${measured.failure.slice(0, 200)}`,
      );
    this.#seriesOf(target, cell).rounds.push(measured);
    await this.#tried(target, 'what was written could not be freed', () => this.#loadOf(active).rest(order));
  }

  async #round(running: RunningTarget, load: Load, order: LoadOrder, round: number): Promise<Round> {
    const processes = await running.processes();
    let cpu = { begin: {} as ByKind, end: {} as ByKind };
    const loadMs = { begin: 0, end: 0 };
    const result = await load.run(order, (phase, loadCpuMs) => {
      cpu = { ...cpu, [phase]: cpuMsByKind(processes) };
      loadMs[phase] = loadCpuMs;
    });
    failIfEnded(processes);
    const operations = result.requests * (isBatch(order.workload) ? order.batchSize : 1);
    const perOperation = (ms: number): number => (ms * 1_000) / Math.max(1, operations);
    const used = Object.entries(minus(cpu.end, cpu.begin));
    return {
      ...result,
      round,
      operationsPerSecond: operations / result.seconds,
      cpuMicroseconds: Object.fromEntries(used.map(([kind, ms]) => [kind, perOperation(ms)])),
      loadCpuMicroseconds: perOperation(loadMs.end - loadMs.begin),
    };
  }

  #seriesOf(target: Target, cell: Cell): Series & { readonly rounds: Round[] } {
    const found = this.series.find((series) => series.target === target.name && isSameCell(series, cell));
    if (found !== undefined) return found;
    const fresh = { ...cell, target: target.name, rounds: [] };
    this.series.push(fresh);
    return fresh;
  }

  /** Requests a second that the reference did of this kind, with whatever number of clients. */
  #mostOf({ workload, valueBytes }: Cell): number {
    const { reference, settings } = this.#options;
    const of = this.series.filter(
      (series) =>
        series.target === reference &&
        series.workload === workload &&
        series.valueBytes === valueBytes &&
        series.perSecond === null,
    );
    const perRequest = isBatch(workload) ? settings.batchSize : 1;
    const medians = of.map(({ rounds }) => spreadOf(rounds.map((round) => round.operationsPerSecond)).median);
    return Math.max(0, ...medians) / perRequest;
  }

  async #measureIdle({ target, running }: Active): Promise<void> {
    const { idleSeconds } = this.#options.settings;
    if (idleSeconds === 0 || this.idle.some((idle) => idle.target === target.name)) return;
    const processes = await running.processes();
    const before = cpuMsByKind(processes);
    const begunMs = performance.now();
    await this.#calm();
    const used = minus(cpuMsByKind(processes), before);
    failIfEnded(processes);
    const seconds = (performance.now() - begunMs) / 1_000;
    const entries = Object.entries(used).map(([kind, ms]) => [kind, ms / seconds] as const);
    this.idle.push({ target: target.name, cpuMsPerSecond: Object.fromEntries(entries) });
  }

  /** No load. */
  async #calm(): Promise<void> {
    const { settings, ended } = this.#options;
    await delay(settings.idleSeconds * 1_000, undefined, { signal: ended }).catch((error: unknown) => {
      ended.throwIfAborted();
      throw error;
    });
  }

  async #measureMemory(target: Target): Promise<void> {
    const { settings, note } = this.#options;
    const { memoryKeys: keys, keyPrefix } = settings;
    const running = this.#active.get(target.name);
    const active = running === undefined ? await this.#start(target) : { target, running };
    const processes = await active.running.processes();
    note(`${target.name}: memory with ${keys} more keys`);
    const before = memoryBytesByKind(processes);
    const begunMs = performance.now();
    const order = this.#order(active, { keys, keyPrefix: `${keyPrefix}memory/` });
    await this.#loadOf(active).fill(order);
    const fillSeconds = (performance.now() - begunMs) / 1_000;
    // Until what the fill left to do in the background is done.
    await this.#calm();
    const after = memoryBytesByKind(processes);
    failIfEnded(processes);
    const { name } = target;
    this.memory.push({ target: name, keys, valueBytes: order.valueBytes, before, after, fillSeconds });
  }
}

/** What was taken by who is gone, or by another in its place, is in no figure. */
function failIfEnded(processes: readonly TargetProcess[]): void {
  const ended = endedOf(processes).map(({ kind, pid }) => `${kind} (process ${pid})`);
  if (ended.length > 0) throw new StartError(`${ended.join(', ')} ended meanwhile`);
}
