/** The program as it was built, as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
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
