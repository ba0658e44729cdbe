import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  appendFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BinaryResultsWriter, readBinaryBatch } from '@ringleader/contracts';
import type { BinaryResult } from '@ringleader/contracts';
import { EXIT } from '../failure.js';
import { GatewayClient } from '../gateway-client.js';
import { importFile, type ImportOptions } from './import.js';

interface Put {
  readonly key: string;
  readonly value: string;
}

function binary(results: readonly BinaryResult[]): Buffer {
  const writer = new BinaryResultsWriter(results.length);
  for (const result of results) writer.add(result);
  return writer.take();
}

/** A gateway in memory. `intercept` may answer a batch itself: a status, or the codes of single keys. */
class FakeGateway {
  readonly store = new Map<string, string>();
  readonly batches: Put[][] = [];
  readonly idempotencyKeys: string[] = [];
  intercept: (
    batch: Put[],
    number: number,
  ) => { status: number; code: string } | Record<string, string> | undefined = () => undefined;
  /** Null: the token is not for such questions. */
  clusterId: string | null = 'c1';
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/cluster' && this.clusterId === null) {
          response.statusCode = 403;
          response.end('{"code":"FORBIDDEN"}');
          return;
        }
        if (request.url === '/v1/cluster') {
          response.end(JSON.stringify({ id: this.clusterId, members: [] }));
          return;
        }
        this.idempotencyKeys.push(String(request.headers['idempotency-key']));
        const operations = readBinaryBatch(Buffer.concat(chunks)).map((operation) => ({
          key: operation.key,
          value: operation.op === 'put' ? Buffer.from(operation.value ?? '').toString() : '',
        }));
        const { status, body, results } = this.#answer(operations);
        response.statusCode = status;
        response.end(results === undefined ? JSON.stringify(body) : binary(results));
      });
    });
  }

  #answer(batch: Put[]): { status: number; body?: unknown; results?: BinaryResult[] } {
    this.batches.push(batch);
    const special = this.intercept(batch, this.batches.length);
    if (special !== undefined && typeof special['status'] === 'number')
      return { status: special['status'], body: special };
    const codes = (special ?? {}) as Record<string, string>;
    const results = batch.map(({ key, value }) => {
      if (codes[key] !== undefined)
        return { status: codes[key] === 'UNAVAILABLE' ? 503 : 400, code: codes[key], detail: 'no' };
      const status = this.store.has(key) ? 200 : 201;
      this.store.set(key, value);
      return { status, revision: 1, version: 1 };
    });
    return { status: 200, results: results as BinaryResult[] };
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }
}

const line = (key: string, value = `value of ${key}`) => `${JSON.stringify({ key, value })}\n`;
const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => `key-${String(i).padStart(5, '0')}`);

describe('importFile', () => {
  let dir: string;
  let gateway: FakeGateway;
  let options: ImportOptions & { readonly state: string };
  const never = new AbortController().signal;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-import-'));
    gateway = new FakeGateway();
    const url = await gateway.listen();
    options = {
      file: join(dir, 'input.ndjson'),
      clientOf: (signal) => new GatewayClient({ gateways: [url], signal }),
      state: join(dir, 'state.json'),
      batchesInFlight: 3,
      operationsPerBatch: 10,
      giveUpMs: 2_000,
    };
  });
  afterEach(async () => {
    await gateway.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('stores every line, in batches of bounded size, and forgets its state at the end', async () => {
    await writeFile(
      options.file,
      numbered(105)
        .map((key) => line(key))
        .join(''),
    );
    const summary = await importFile(options, never);
    expect(summary).toMatchObject({ finished: true, position: { lines: 105, created: 105, refused: 0 } });
    expect(gateway.store.size).toBe(105);
    expect(Math.max(...gateway.batches.map((batch) => batch.length))).toBe(10);
    await expect(readFile(options.state)).rejects.toThrow('ENOENT');
  });

  it('refuses bad lines with their number and why, and stores the others', async () => {
    const bad = [
      'not json\n',
      '[]\n',
      '{"key": 1, "value": "x"}\n',
      '{"key": "k"}\n',
      '{"key": "k", "value": "v", "x": 1}\n',
      '{"key": "k", "value": "v", "value": "w"}\n',
    ];
    await writeFile(options.file, [line('a'), ...bad, '\n', line('too-long'), line('b')].join(''));
    gateway.intercept = () => ({ 'too-long': 'KEY_TOO_LONG' });
    const summary = await importFile(options, never);
    expect(summary.position).toMatchObject({ lines: 10, created: 2, refused: 7 });
    expect(summary.refusals.map(({ line: number, code }) => [number, code])).toEqual([
      ...[2, 3, 4, 5, 6, 7].map((number) => [number, 'INVALID_LINE']),
      [9, 'KEY_TOO_LONG'],
    ]);
    const report = (await readFile(summary.refusalFile, 'utf8')).trim().split('\n');
    expect(report).toHaveLength(7);
    expect(JSON.parse(report[5] ?? '')).toMatchObject({
      line: 7,
      detail: 'the field "value" is there twice',
    });
    expect(JSON.parse(report[6] ?? '')).toEqual({
      line: 9,
      code: 'KEY_TOO_LONG',
      detail: 'no',
      key: 'too-long',
    });
  });

  it('repeats what may be repeated, under the same idempotency key, and only that', async () => {
    await writeFile(options.file, [line('a'), line('b')].join(''));
    gateway.intercept = (_batch, number) => {
      if (number === 1) return { status: 503, code: 'OVERLOADED' };
      return number === 2 ? { b: 'UNAVAILABLE' } : undefined;
    };
    const summary = await importFile(options, never);
    expect(summary.position).toMatchObject({ created: 2, refused: 0 });
    expect(gateway.batches.map((batch) => batch.map(({ key }) => key))).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['b'],
    ]);
    expect(new Set(gateway.idempotencyKeys).size).toBe(1);
  });

  it('cuts a batch that is refused whole until the line to blame stands alone', async () => {
    await writeFile(
      options.file,
      numbered(8)
        .map((key) => line(key))
        .join(''),
    );
    gateway.intercept = (batch) =>
      batch.some(({ key }) => key === 'key-00005') ? { status: 400, code: 'INVALID_ARGUMENT' } : undefined;
    const summary = await importFile(options, never);
    expect(summary.position).toMatchObject({ created: 7, refused: 1 });
    expect(summary.refusals).toMatchObject([{ line: 6, code: 'INVALID_ARGUMENT', key: 'key-00005' }]);
  });

  it('needs no token for more than its keys, and does not cut a batch in pieces without a valid one', async () => {
    await writeFile(
      options.file,
      numbered(8)
        .map((key) => line(key))
        .join(''),
    );
    gateway.clusterId = null;
    gateway.intercept = (_batch, number) =>
      number === 1 ? { status: 401, code: 'UNAUTHENTICATED' } : undefined;
    await expect(importFile(options, never)).rejects.toMatchObject({
      ...{ code: 'UNAUTHENTICATED', exitCode: EXIT.usage },
    });
    expect(gateway.batches).toHaveLength(1);
    expect((await importFile(options, never)).position).toMatchObject({ created: 8, refused: 0 });
  });

  it('keeps the last of several lines with the same key', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => line(`key-${i % 7}`, String(i)));
    await writeFile(options.file, lines.join(''));
    const summary = await importFile(options, never);
    expect(summary.position).toMatchObject({ created: 7, replaced: 53 });
    expect([...gateway.store].sort()).toEqual(
      Array.from({ length: 7 }, (_, i) => [`key-${i}`, String(i < 4 ? 56 + i : 49 + i)]),
    );
  });

  it('stops when told to, and goes on from there', async () => {
    const keys = numbered(200);
    await writeFile(options.file, ['nonsense\n', ...keys.map((key) => line(key))].join(''));
    const stop = new AbortController();
    gateway.intercept = (_batch, number) => {
      if (number === 5) stop.abort();
      return undefined;
    };
    const first = await importFile(options, stop.signal);
    expect(first.finished).toBe(false);
    expect(first.position.lines).toBeGreaterThan(0);
    expect(first.position.lines).toBeLessThan(201);
    const sentBefore = gateway.batches.flat().length;

    const second = await importFile(options, never);
    expect(second).toMatchObject({ finished: true, resumedAtLine: first.position.lines });
    expect(second.position).toMatchObject({ lines: 201, refused: 1 });
    expect([...gateway.store.keys()].sort()).toEqual(keys);
    expect(gateway.batches.flat().length - sentBefore).toBe(201 - first.position.lines);
    expect((await readFile(second.refusalFile, 'utf8')).trim().split('\n')).toHaveLength(1);
  });

  it.each(['another file', 'another cluster'])('begins at the beginning for %s', async (what) => {
    await writeFile(
      options.file,
      numbered(50)
        .map((key) => line(key))
        .join(''),
    );
    const stop = new AbortController();
    gateway.intercept = (_batch, number) => {
      if (number === 2) stop.abort();
      return undefined;
    };
    await importFile(options, stop.signal);
    if (what === 'another cluster') gateway.clusterId = 'c2';
    else await appendFile(options.file, line('more'));
    expect((await importFile(options, never)).resumedAtLine).toBe(0);
  });

  it('reads a compressed file, and goes on in the middle of it', async () => {
    const keys = numbered(200);
    await writeFile(options.file, gzipSync(keys.map((key) => line(key)).join('')));
    const stop = new AbortController();
    gateway.intercept = (_batch, number) => {
      if (number === 5) stop.abort();
      return undefined;
    };
    const first = await importFile(options, stop.signal);
    expect(first.position.lines).toBeLessThan(200);
    const sentBefore = gateway.batches.flat().length;
    const second = await importFile(options, never);
    expect(second).toMatchObject({ finished: true, resumedAtLine: first.position.lines });
    expect([...gateway.store.keys()].sort()).toEqual(keys);
    expect(gateway.batches.flat().length - sentBefore).toBe(200 - first.position.lines);
  });

  it('keeps its place before where a compressed file is cut off', async () => {
    const text = numbered(5_000)
      .map((key) => line(key))
      .join('');
    const whole = gzipSync(text);
    await writeFile(options.file, whole.subarray(0, whole.length - 20));
    await expect(importFile(options, never)).rejects.toThrow(/damaged or was cut off/);
    expect(gateway.store.size).toBeGreaterThan(0);
    expect(JSON.parse(await readFile(options.state, 'utf8'))).toMatchObject({ formatVersion: 1 });
  });

  it('gives up, keeping its place, when the gateway takes nothing for too long', async () => {
    await writeFile(
      options.file,
      numbered(30)
        .map((key) => line(key))
        .join(''),
    );
    gateway.intercept = (_batch, number) => (number > 1 ? { status: 503, code: 'UNAVAILABLE' } : undefined);
    const impatient = { ...options, giveUpMs: 200, batchesInFlight: 1 };
    await expect(importFile(impatient, never)).rejects.toThrow(/does not take the data/);
    gateway.intercept = () => undefined;
    expect(await importFile(impatient, never)).toMatchObject({
      resumedAtLine: 10,
      position: { lines: 30, created: 30 },
    });
  });

  it('says in one sentence what is missing', async () => {
    await expect(importFile({ ...options, file: join(dir, 'none') }, never)).rejects.toThrow(
      /There is no file/,
    );
    await writeFile(options.file, line('a'));
    await gateway.close();
    await expect(importFile(options, never)).rejects.toThrow(/No gateway answers at/);
  });

  it.each<[string, (file: string) => Partial<ImportOptions>]>([
    ['the input is the report', (file) => ({ refused: file })],
    ['the input is the state', (file) => ({ state: file })],
    ['state and report are one', (file) => ({ state: `${file}.x`, refused: `${file}.x` })],
    ['a link leads from the report to the input', (file) => ({ refused: `${file}.link` })],
    ['the report is one more name of the input', (file) => ({ refused: `${file}.hard` })],
    ['the state is one more name of the input', (file) => ({ state: `${file}.hard` })],
  ])('writes nothing over another file where %s', async (_, files) => {
    const content = line('') + line('a');
    await writeFile(options.file, content);
    await symlink(options.file, `${options.file}.link`);
    await link(options.file, `${options.file}.hard`);
    await expect(importFile({ ...options, ...files(options.file) }, never)).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining('must be three files') as unknown,
    });
    expect(await readFile(options.file, 'utf8')).toBe(content);
    expect(gateway.batches).toEqual([]);
  });

  const PRECIOUS = 'precious\n';
  const foreign: [string, 'state' | 'refused', (path: string) => unknown][] = [
    ['a file of somebody else', 'state', (path) => writeFile(path, PRECIOUS)],
    ['a file of somebody else', 'refused', (path) => writeFile(path, PRECIOUS)],
    ['JSON of somebody else', 'state', (path) => writeFile(path, '{"formatVersion":1}')],
    ['a folder', 'state', mkdir],
    ['a folder', 'refused', mkdir],
    ['a pipe', 'state', (path) => execFileSync('mkfifo', [path])],
    ['a pipe', 'refused', (path) => execFileSync('mkfifo', [path])],
  ];
  it.each(foreign)('leaves %s at --%s alone', async (_, option, make) => {
    const path = join(dir, 'there');
    await make(path);
    const before = await lstat(path);
    await writeFile(options.file, `[]\n${line('a')}`);
    await expect(importFile({ ...options, [option]: path }, never)).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining(`--${option}`) as unknown,
    });
    const after = await lstat(path);
    expect([after.ino, after.mode, after.size, after.mtimeMs]).toEqual([
      ...[before.ino, before.mode, before.size, before.mtimeMs],
    ]);
    expect(gateway.batches).toEqual([]);
  });

  it('begins the report of an earlier import anew', async () => {
    await writeFile(options.file, '[]\n');
    const { refusalFile } = await importFile(options, never);
    const report = await readFile(refusalFile, 'utf8');
    expect((await importFile(options, never)).position.refused).toBe(1);
    expect(await readFile(refusalFile, 'utf8')).toBe(report);
    await writeFile(options.file, line('a'));
    await importFile(options, never);
    expect(await readdir(dir)).toEqual(['input.ndjson']);
  });

  const stopAtOnce = async (): Promise<void> => {
    const stop = new AbortController();
    gateway.batches.length = 0;
    gateway.intercept = (_batch, number) => {
      if (number === 2) stop.abort();
      return undefined;
    };
    expect((await importFile({ ...options, batchesInFlight: 1 }, stop.signal)).finished).toBe(false);
  };
  const lines = () => numbered(50).map((key) => line(key));

  it('takes what a run that was killed has added to the report, and nothing else', async () => {
    await writeFile(options.file, lines().join(''));
    await stopAtOnce();
    const refused = `${options.file}.refused.ndjson`;
    await writeFile(refused, '{"line":21,"code":"INVALID_LINE","detail":"not settled"}\n');
    expect((await importFile(options, never)).finished).toBe(true);
    expect(await readdir(dir)).toEqual(['input.ndjson']);

    await stopAtOnce();
    await writeFile(join(dir, 'there'), PRECIOUS);
    const another = { ...options, refused: join(dir, 'there') };
    await expect(importFile(another, never)).rejects.toThrow('is no report of refused lines');
    expect(await readFile(another.refused, 'utf8')).toBe(PRECIOUS);
  });

  it.each(['', '[]\n'])('writes into a device, and does not remove it: %j', async (bad) => {
    const refused = join(dir, 'device');
    await symlink('/dev/null', refused);
    await writeFile(options.file, bad + line('a'));
    expect((await importFile({ ...options, refused }, never)).finished).toBe(true);
    expect(await readdir(dir)).toEqual(['device', 'input.ndjson']);
  });

  it('writes into files that are empty', async () => {
    await writeFile(options.file, `[]\n${line('a')}`);
    const refused = join(dir, 'refused');
    await Promise.all([writeFile(options.state, ''), writeFile(refused, '')]);
    await importFile({ ...options, refused }, never);
    expect(await readFile(refused, 'utf8')).toMatch(/^\{"line":1,.*\}\n$/);
  });

  it.each([
    [{ offset: -5 }, 'does not say where'],
    [{ offset: 1e6 }, 'beyond the end'],
  ])('goes on at no place that cannot be: %o', async (position, message) => {
    for (const content of [Buffer.from(lines().join('')), gzipSync(lines().join(''))]) {
      await writeFile(options.file, content);
      await stopAtOnce();
      const saved = JSON.parse(await readFile(options.state, 'utf8')) as { position: object };
      saved.position = { ...saved.position, ...position };
      await writeFile(options.state, JSON.stringify(saved));
      await expect(importFile(options, never)).rejects.toMatchObject({
        exitCode: EXIT.usage,
        message: expect.stringContaining(message) as unknown,
      });
      await rm(options.state);
    }
  });

  it('says in one sentence that refused lines cannot be written down', async () => {
    await writeFile(options.file, '[]\n');
    const refused = join(dir, 'none', 'refused');
    await expect(importFile({ ...options, refused }, never)).rejects.toThrow(/another place with --refused/);
  });

  it('runs twice at once, and both come to the end', async () => {
    await writeFile(options.file, Array.from({ length: 200 }, (_, index) => line(`k${index}`)).join(''));
    const [first, second] = await Promise.all([importFile(options, never), importFile(options, never)]);
    expect([first.finished, second.finished]).toEqual([true, true]);
    expect(gateway.store.size).toBe(200);
    expect((await readdir(dir)).sort()).toEqual(['input.ndjson']);
  });
});
