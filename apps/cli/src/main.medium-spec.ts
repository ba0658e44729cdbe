/** The program as it was built, as a process. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { EXIT } from './failure.js';

describe('ringleader -o json', () => {
  const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

  async function run(...args: string[]): Promise<{ exitCode: unknown; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { exitCode: child.exitCode, stdout, stderr };
  }

  it.each<[string, object]>([
    ['get', { code: 'INVALID_ARGUMENT', message: "missing required argument 'key'." }],
    ['get k --no-such', { code: 'INVALID_ARGUMENT', message: "unknown option '--no-such'." }],
    ['--timeout x get k', { code: 'INVALID_ARGUMENT' }],
    ['', { code: 'INVALID_ARGUMENT', message: 'There is no command: --help lists them.' }],
    ['get k --gateway http://127.0.0.1:1', { code: 'UNAVAILABLE' }],
    ['import /no/such/file', { code: 'INVALID_ARGUMENT' }],
  ])('says what is wrong with `%s` in one object on standard error', async (args, failure) => {
    const { exitCode, stdout, stderr } = await run(
      ...args.split(' ').filter((arg) => arg !== ''),
      '-o',
      'json',
    );
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toMatchObject(failure);
    expect(stderr.trimEnd().split('\n').length).toBe(1);
    expect(exitCode).not.toBe(0);
  });

  it('tells what the gateway answered, and for each key that could not be deleted', async () => {
    const problem = { code: 'INTERNAL', detail: 'The gateway failed', id: 'of-the-log' };
    const results = [
      { status: 204, revision: 3 },
      { status: 404, code: 'KEY_NOT_FOUND', detail: 'There is no such key' },
    ];
    const server = createServer((request, response) => {
      const isList = request.method === 'GET';
      response.statusCode = isList ? 500 : 200;
      response.end(JSON.stringify(isList ? problem : { results }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const list = await run('ls', '-o', 'json', '--gateway', gateway);
    const del = await run('del', 'a', 'b', '-o', 'json', '--gateway', gateway);
    server.closeAllConnections();
    server.close();
    expect([list.exitCode, JSON.parse(list.stderr)]).toEqual([
      EXIT.failed,
      { code: 'INTERNAL', message: 'The gateway failed', status: 500, requestId: 'of-the-log' },
    ]);
    expect([del.exitCode, JSON.parse(del.stdout), JSON.parse(del.stderr)]).toEqual([
      EXIT.notFound,
      { key: 'a', revision: 3 },
      { key: 'b', code: 'KEY_NOT_FOUND', message: 'There is no such key', status: 404 },
    ]);
  });

  describe('import from a pipe in which nothing comes any more', () => {
    const LINES = ['a', 'b'].map((key) => `${JSON.stringify({ key, value: 'v' })}\n`).join('');

    async function importing(onBatch: () => void, status: number): Promise<ChildProcessWithoutNullStreams> {
      const server = createServer((request, response) => {
        request.resume().on('end', () => {
          if (request.url === '/v1/cluster') {
            response.end(JSON.stringify({ id: 'c', members: [] }));
            return;
          }
          onBatch();
          response.statusCode = status;
          const code = status === 401 ? 'UNAUTHENTICATED' : 'UNAVAILABLE';
          response.end(JSON.stringify({ code, detail: 'No' }));
        });
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const refused = join(await mkdtemp(join(tmpdir(), 'ringleader-import-')), 'refused');
      const args = ['import', '-', '--batch', '1', '--refused', refused, '-o', 'json', '--gateway', gateway];
      const child = spawn(process.execPath, [MAIN, ...args]);
      child.once('close', () => {
        server.closeAllConnections();
        server.close();
        void rm(dirname(refused), { recursive: true });
      });
      return child;
    }

    it.each(['SIGINT', 'SIGTERM'] as const)('ends at %s', async (signal) => {
      const { promise: asked, resolve } = Promise.withResolvers<void>();
      const child = await importing(resolve, 503);
      child.stdin.write(LINES);
      await asked;
      child.kill(signal);
      const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')]);
      expect(child.exitCode).toBe(EXIT.stopped);
      expect(JSON.parse(stdout)).toMatchObject({ finished: false });
    });

    it.each([
      ['plain', LINES],
      ['compressed', gzipSync(LINES.repeat(10_000), { level: 0 }).subarray(0, -100)],
    ])('ends when the gateway takes no more: %s', async (_, input) => {
      const child = await importing(() => undefined, 401);
      // That the other end is closed by then is none of its business.
      child.stdin.on('error', () => undefined);
      child.stdin.write(input);
      const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
      expect(child.exitCode).toBe(EXIT.usage);
      expect(JSON.parse(stderr)).toMatchObject({ code: 'UNAUTHENTICATED' });
    });
  });

  it('says nothing of a look at the cluster that Ctrl-C has broken off', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const args = ['status', '--watch', '-o', 'json', '--gateway', gateway];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    await once(server, 'request');
    child.kill('SIGINT');
    const [stdout, stderr] = await output;
    server.closeAllConnections();
    server.close();
    expect([child.exitCode, stdout, stderr]).toEqual([EXIT.stopped, '', '']);
  });
});
