/** The harness against a server of some lines, by the load in Node: what is measured, in which order, and that all of it ends. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { OperationalError } from '@ringleader/contracts';
import type { Load } from './load.js';
import { NodeLoad } from './node-load.js';
import { pageOf } from './page.js';
import { cellName, type Results } from './results.js';
import { runBenchmark, type Measured } from './run.js';
import { settingsOf, type Settings } from './settings.js';
import { tableOf } from './table.js';
import type { Target } from './targets/target.js';

/** As much of REST as is asked; what `refuses` says is answered 503. */
class TinyStore {
  readonly values = new Map<string, string>();
  readonly server: Server;

  constructor(private readonly refuses: (method: string) => boolean = () => false) {
    this.server = createServer((request, answer) => void this.serve(request, answer));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private async serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const body = await text(request);
    if (this.refuses(method)) return void answer.writeHead(503).end('not now');
    if (method === 'POST') {
      const { operations } = JSON.parse(body) as { operations: { key: string; value: string }[] };
      for (const { key, value } of operations) this.values.set(key, value);
      return void answer.end(JSON.stringify({ results: operations.map(() => ({ status: 200 })) }));
    }
    const key = url.replace('/v1/kv/', '');
    if (method === 'PUT') this.values.set(key, body);
    const value = this.values.get(key);
    answer.writeHead(value === undefined ? 404 : 200).end(method === 'GET' ? value : '');
  }
}

const settings: Settings = settingsOf({
  // Long enough for a request on a machine that stands still for a moment.
  ...{ quick: true, rounds: 2, seconds: 0.3, settle: 0.02, warmUp: 0.05, idle: 0.05, keys: 100 },
  ...{ clients: [1, 3], workloads: ['write', 'mixed', 'batch', 'watch'], batch: 10, memoryKeys: 500 },
  rates: [{ kind: 'relative', part: 0.5 }],
});

describe('the benchmark', () => {
  let stores: TinyStore[] = [];
  let said: string[] = [];
  const running = new Set<string>();
  const ended = new AbortController();

  const targetOf = (name: string, store: TinyStore): Target => ({
    name,
    version: '1',
    description: 'some lines',
    start: async () => {
      running.add(name);
      return {
        kind: 'rest',
        endpoints: [store.url],
        processes: async () => [{ kind: 'node', pid: process.pid }],
        tidy: async () => undefined,
        stop: async () => void running.delete(name),
      };
    },
  });
  const run = (targets: readonly Target[], signal = ended.signal, changed = settings): Promise<Measured> =>
    runBenchmark({
      ...{ settings: changed, targets, reference: 'A', load: new NodeLoad(signal), ended: signal },
      note: (line) => said.push(line),
    });

  beforeEach(async () => {
    said = [];
    stores = [new TinyStore(), new TinyStore((method) => method === 'GET')];
    for (const { server } of stores) await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    for (const { server } of stores) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('measures every cell of every target in turn, and tells what failed', async () => {
    const measured = await run([targetOf('A', stores[0]!), targetOf('B', stores[1]!)]);
    expect(running.size).toBe(0);
    // Of each target: three workloads by one and by three clients, and at a rate by three clients.
    expect(measured.series.length).toBe(2 * (3 * 2 + 3));
    for (const { rounds } of measured.series) expect(rounds.map(({ round }) => round)).toEqual([0, 1]);

    const order = said.filter((line) => line.includes(': write, 1 client,')).map((line) => line[0]);
    expect(order.join('')).toBe('ABBA');

    const [closed] = measured.series;
    const half = measured.series.find(
      ({ target, workload, perSecond }) => target === 'A' && workload === 'write' && perSecond !== null,
    );
    expect(closed).toMatchObject({ target: 'A', workload: 'write', clients: 1, perSecond: null });
    for (const { requests, percentiles, cpuMicroseconds, loadCpuMicroseconds } of closed!.rounds) {
      expect(requests).toBeGreaterThan(0);
      expect(percentiles['99']).toBeGreaterThanOrEqual(percentiles['50']);
      expect(Object.keys(cpuMicroseconds)).toEqual(['node']);
      expect(loadCpuMicroseconds).toBeGreaterThan(0);
    }
    const most = measured.series.filter(
      ({ target, workload, perSecond }) => target === 'A' && workload === 'write' && perSecond === null,
    );
    const medians = most.map(
      ({ rounds: [one, two] }) => (one!.operationsPerSecond + two!.operationsPerSecond) / 2,
    );
    expect(half?.perSecond).toBeCloseTo(Math.max(...medians) / 2, 5);

    // Half of what it can: nothing is left over.
    expect(half!.rounds.map(({ unsent }) => unsent)).toEqual([0, 0]);

    const refused = measured.series.find(({ target, workload }) => target === 'B' && workload === 'mixed');
    expect(refused!.rounds[0]!.failures).toBeGreaterThan(0);
    expect(measured.notes.join('\n')).toMatch(
      /B: mixed, 1 client, 100 B: \d+ failures in round 1, the first: HTTP 503: not now/,
    );
    expect(measured.notes.join('\n')).toContain('A: watch was left out: there is no client for it.');
    expect(measured.memory.map(({ target, keys }) => `${target} ${keys}`)).toEqual(['A 500', 'B 500']);
    expect(stores[0]!.values.size).toBe(100 + 500);
    expect(stores[0]!.values.get('bench/100/7')?.length).toBe(100);

    const results: Results = {
      ...{
        format: 1,
        startedAt: '',
        endedAt: '',
        commit: 'c',
        machine: {},
        versions: {},
        load: 'l',
        settings,
      },
      ...{ targets: [targetOf('A', stores[0]!), targetOf('B', stores[1]!)], reference: 'A' },
      ...{ series: measured.series, idle: measured.idle, memory: measured.memory, notes: measured.notes },
    };
    for (const series of measured.series) {
      expect(tableOf(results)).toContain(cellName(series));
      expect(pageOf(results)).toContain(cellName(series));
    }
  });

  it('stops what it has started when it is ended, and when a target does not start', async () => {
    const ending = new AbortController();
    const reason = new Error('enough');
    const measuring = run([targetOf('A', stores[0]!)], ending.signal, { ...settings, seconds: 60 });
    const outcome = expect(measuring).rejects.toBe(reason);
    while (!said.includes('round 1 of 2')) await once(stores[0]!.server, 'request');
    ending.abort(reason);
    await outcome;
    expect(running.size).toBe(0);

    const broken: Target = {
      ...targetOf('B', stores[1]!),
      start: () => Promise.reject(new Error('no disk')),
    };
    await expect(run([targetOf('A', stores[0]!), broken])).rejects.toThrow('no disk');
    expect(running.size).toBe(0);
  });

  it('tells of a target that dies in the middle, and keeps what was measured', async () => {
    const brief = { ...settings, rounds: 1, clients: [1], workloads: ['write', 'batch'] as const };
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const load = new NodeLoad(ended.signal);
    const dying: Target = {
      ...targetOf('A', stores[0]!),
      start: async () => ({
        ...(await targetOf('A', stores[0]!).start()),
        processes: async () => [{ kind: 'sleep', pid: child.pid ?? 0 }],
      }),
    };
    const { series, memory, notes, idle } = await runBenchmark({
      ...{ settings: brief, targets: [dying, targetOf('B', stores[1]!)], reference: 'A' },
      load: {
        description: '',
        can: (kind, workload) => load.can(kind, workload),
        fill: (order) => load.fill(order),
        rest: async ({ workload }) => {
          if (workload === 'batch' && child.exitCode === null) throw new Error('no room');
        },
        run: async (order, onPhase) => {
          const result = await load.run(order, onPhase);
          if (
            order.workload === 'batch' &&
            order.rate === 0 &&
            order.warmUpMs > 0 &&
            child.signalCode === null
          ) {
            child.kill('SIGKILL');
            await once(child, 'exit');
          }
          return result;
        },
      },
      ended: ended.signal,
      note: (line) => said.push(line),
    });
    const measured = series.map(
      ({ target, workload, perSecond }) => `${target} ${workload} ${perSecond === null}`,
    );
    // No figure is of what was gone, and none is negative.
    expect(measured).toEqual(['A write true', 'B write true', 'B batch true', 'B write false']);
    expect(notes.join('\n')).toMatch(
      /A: batch, 1 client, 100 B: round 1 could not be measured: sleep \(process \d+\) ended meanwhile/,
    );
    expect(notes.join('\n')).toContain('B: what was written could not be freed: no room');
    expect(notes.join('\n')).toContain(
      'batch, 1 client, 100 B: a rate of its own was left out: A did less than one request a second, or none.',
    );
    expect(notes.join('\n')).toMatch(
      /A: memory could not be measured: sleep \(process \d+\) ended meanwhile/,
    );
    expect(memory.map(({ target }) => target)).toEqual(['B']);
    expect(idle.map(({ target }) => target)).toEqual(['A', 'B']);
    expect(running.size).toBe(0);
  });

  it('tells of a put that fails while watches are measured, and keeps the rest', async () => {
    const brief = { ...settings, rounds: 1, clients: [1], workloads: ['watch', 'write'], rates: [] } as const;
    const watches: Load = {
      description: '',
      can: () => true,
      fill: async () => undefined,
      rest: async () => undefined,
      run: () => Promise.reject(new OperationalError('OUTCOME_UNKNOWN', 'nobody says whether it was done')),
    };
    const started = targetOf('A', stores[0]!);
    const target = { ...started, start: async () => ({ ...(await started.start()), watches }) };
    const { series, notes } = await run([target], ended.signal, brief);
    expect(series.map(({ workload }) => workload)).toEqual(['write']);
    expect(notes).toEqual([
      'A: watch, 1 client, 100 B: round 1 could not be measured: nobody says whether it was done',
    ]);
  });

  it('runs one target at a time where it is asked to', async () => {
    const alone = { ...settings, alone: true, workloads: ['write'], rates: [], memoryKeys: 0 } as const;
    let most = 0;
    const counted = (name: string, store: TinyStore): Target => {
      const target = targetOf(name, store);
      return {
        ...target,
        start: async () => {
          const started = await target.start();
          most = Math.max(most, running.size);
          return started;
        },
      };
    };
    const targets = [counted('A', stores[0]!), counted('B', stores[1]!)];
    const { series } = await run(targets, ended.signal, alone);
    expect(most).toBe(1);
    expect(series.map(({ rounds }) => rounds.length)).toEqual([2, 2, 2, 2]);
    expect(
      said
        .filter((line) => line.endsWith('starting'))
        .map((line) => line[0])
        .join(''),
    ).toBe('ABBA');
  });
});
