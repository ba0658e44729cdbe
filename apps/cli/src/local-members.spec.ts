import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { program } from './program.js';

describe('ringleader local', () => {
  let folder: string;
  let server: Server;
  let asked: string[];
  let answer: { readonly status: number; readonly body: object };

  beforeEach(async () => {
    asked = [];
    answer = {
      status: 200,
      body: { done: 'shard-2 is stopped', member: 'shard-4', shard: 'shard-4', state: 'joining' },
    };
    // Stands for both: the starter, and a gateway.
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const token = request.headers.authorization ?? '';
        asked.push(`${request.method} ${request.url} ${token} ${body.toString()}`.trim());
        response.statusCode = answer.status;
        response.end(JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    folder = await mkdtemp(join(tmpdir(), 'ringleader-local-'));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const state = { gatewayUrls: [url], control: { url, token: 't' }, processes: [] };
    await writeFile(join(folder, 'cluster.json'), JSON.stringify(state));
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  async function run(...args: string[]): Promise<string> {
    const printed: unknown[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
    try {
      await program().parseAsync(['node', 'ringleader', 'local', ...args, '--data', folder]);
    } finally {
      log.mockRestore();
    }
    return printed.join('\n');
  }

  it.each(['stop', 'kill', 'pause', 'cut', 'restart'])('%s asks the starter', async (action) => {
    expect(await run(action, 'shard-2')).toBe('shard-2 is stopped.');
    expect(asked).toEqual([`POST /members/shard-2/${action} Bearer t {}`]);
  });

  it('adds a shard, and waits until it is part of the cluster', async () => {
    const text = await run('add-shard', '--zone', 'b', '--weight', '2');
    expect(text).toMatch(/^shard-4 is part of the cluster \(joining\)/);
    expect(asked).toEqual([
      'POST /shards Bearer t {"zone":"b","weight":2}',
      'GET /v1/cluster/shards/shard-4',
    ]);
    expect(JSON.parse(await run('add-shard', '-o', 'json'))).toEqual({ name: 'shard-4', state: 'joining' });
  });

  it.each([
    [404, 'MEMBER_NOT_FOUND', 3],
    [409, 'ALREADY_SO', 4],
    [400, 'INVALID_ARGUMENT', 2],
    [503, 'UNAVAILABLE', 5],
  ])('ends as the starter says: %i %s is exit code %i', async (status, code, exitCode) => {
    answer = { status, body: { code, detail: 'No' } };
    await expect(run('stop', 'shard-9')).rejects.toMatchObject({ code, exitCode, message: 'No' });
  });

  it('says that no cluster runs, where none does, and where another program listens by now', async () => {
    answer = { status: 403, body: {} };
    await expect(run('stop', 'shard-1')).rejects.toMatchObject({ exitCode: 5 });
    server.removeAllListeners('request').on('request', (_, response: ServerResponse) => {
      response.end('<html></html>');
    });
    await expect(run('stop', 'shard-1')).rejects.toMatchObject({ name: 'CliFailure', exitCode: 5 });
    await writeFile(
      join(folder, 'cluster.json'),
      JSON.stringify({ gatewayUrls: [], control: null, processes: [] }),
    );
    await expect(run('stop', 'shard-1')).rejects.toMatchObject({ exitCode: 5 });
    await rm(join(folder, 'cluster.json'));
    await expect(run('stop', 'shard-1')).rejects.toMatchObject({ exitCode: 2 });
  });

  it('does not know what became of a request that is not answered', async () => {
    server.removeAllListeners('request');
    server.on('request', (request: IncomingMessage) => request.socket.destroy());
    await expect(run('stop', 'shard-1')).rejects.toMatchObject({ exitCode: 6 });
  });
});
