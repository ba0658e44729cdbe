/** The load in Go: built once for each state of its sources, then a process for each measurement. */
import { execFile, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { StartError, workspaceRoot } from '@ringleader/server-processes';
import type { Load, LoadOrder } from './load.js';
import { PERCENTILES, type LoopResult, type Percentile, type Phase } from './loop.js';

const run = promisify(execFile);
const BUILD_TIMEOUT_MS = 600_000;

/** Where programs that the benchmark builds are kept, for all checkouts. */
export const programsDirectory = (): string => join(homedir(), '.cache', 'ringleader-bench');

export async function goVersion(): Promise<string | null> {
  const asked = run('go', ['version']).then(({ stdout }) => stdout.trim().replace('go version ', ''));
  return asked.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** Builds a package of one of the Go modules beside these sources, unless it was built from the same sources before. */
export async function buildGo(module: string, program: string, target = '.'): Promise<string> {
  const folder = join(workspaceRoot(), 'tests/benchmark', module);
  const sources = readdirSync(folder).filter(
    (name) => /\.(go|mod|sum)$/.test(name) && !name.endsWith('_test.go'),
  );
  const state = hash(
    'sha256',
    sources
      .sort()
      .map((name) => readFileSync(join(folder, name)))
      .join('\n'),
  );
  const path = join(programsDirectory(), `${program}-${state.slice(0, 16)}`);
  if (existsSync(path)) return path;
  await mkdir(programsDirectory(), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  const args = ['build', '-mod=readonly', '-trimpath', '-o', fresh, target];
  await run('go', args, { cwd: folder, timeout: BUILD_TIMEOUT_MS }).catch((cause: Error) => {
    throw new StartError(`${program} could not be built with Go: ${cause.message}`, { cause });
  });
  await rename(fresh, path);
  return path;
}

interface Result extends Omit<LoopResult, 'percentiles'> {
  readonly event: 'result';
  readonly percentiles: Record<string, number>;
}

type Line = Result | { readonly event: Phase; readonly cpuMs: number };

/** How long a measurement may take beyond what it was asked for. */
const OVERTIME_MS = 120_000;

export class GoLoad implements Load {
  readonly description =
    'a program in Go with the official clients: go.etcd.io/etcd/client/v3, github.com/go-zookeeper/zk, and fasthttp for REST';

  private constructor(
    private readonly program: string,
    private readonly ended: AbortSignal,
  ) {}

  static async build(ended: AbortSignal): Promise<GoLoad> {
    return new GoLoad(await buildGo('load', 'load'), ended);
  }

  can(kind: LoadOrder['kind'], workload: LoadOrder['workload']): boolean {
    return kind !== 'rest' || workload !== 'watch';
  }

  async fill(order: LoadOrder): Promise<void> {
    await this.#perform({ ...order, action: 'fill' }, () => undefined);
  }

  async rest(order: LoadOrder): Promise<void> {
    await this.#perform({ ...order, action: 'rest' }, () => undefined);
  }

  async run(order: LoadOrder, onPhase: (phase: Phase, loadCpuMs: number) => void): Promise<LoopResult> {
    const action = order.workload === 'watch' ? 'watch' : 'load';
    const limit = order.warmUpMs + order.durationMs + OVERTIME_MS;
    const result = await this.#perform({ ...order, action }, onPhase, limit);
    if (result === null) throw new Error('the load ended without a result');
    return result;
  }

  async #perform(
    order: LoadOrder & { readonly action: string },
    onPhase: (phase: Phase, loadCpuMs: number) => void,
    limitMs?: number,
  ): Promise<LoopResult | null> {
    this.ended.throwIfAborted();
    const child = spawn(this.program, {
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: this.ended,
      timeout: limitMs,
    });
    let said = '';
    let result: LoopResult | null = null;
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      if (line.event === 'result') result = resultOf(line);
      else onPhase(line.event, line.cpuMs);
    });
    child.stdin.on('error', (error) => (said += error.message));
    child.stdin.end(JSON.stringify(order));
    return new Promise((resolve, reject) => {
      child.once('error', (cause) => reject(this.ended.aborted ? (this.ended.reason as Error) : cause));
      child.once('close', (code, signal) => {
        if (code === 0) return resolve(result);
        const why = said.trim() || `it ended with ${signal ?? `exit code ${code}`}`;
        reject(new StartError(`${order.action} ${order.workload} by ${order.kind}: ${why}`));
      });
    });
  }
}

/** Without any request there is no latency, of which the program says 0. */
function resultOf({ event: _event, ...line }: Result): LoopResult {
  const isEmpty = line.percentiles['100'] === 0;
  const entries = PERCENTILES.map((name) => [
    name,
    isEmpty ? Number.NaN : (line.percentiles[name] ?? Number.NaN),
  ]);
  return { ...line, percentiles: Object.fromEntries(entries) as Record<Percentile, number> };
}
