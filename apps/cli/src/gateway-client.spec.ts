import { afterEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CliFailure, EXIT, exitCodeOf } from './failure.js';
import { BinaryResultsWriter } from '@ringleader/contracts';
import { bodyOf, GatewayClient } from './gateway-client.js';
import { gateways } from './global-options.js';

const PUT = [{ op: 'put' as const, key: 'k', value: 'v' }];

describe('GatewayClient', () => {
  const servers: Server[] = [];
  const listen = async (answer: (response: ServerResponse) => void): Promise<string> => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        answer(response);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const nobody = async (): Promise<string> => {
    const url = await listen(() => undefined);
    servers.at(-1)?.close();
    return url;
  };
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  const clientOf = (...gateways: string[]) =>
    new GatewayClient({ gateways, signal: new AbortController().signal });
  const failureOf = async (client: GatewayClient): Promise<CliFailure> => {
    const answer = await client.batch(PUT, 'id');
    try {
      bodyOf(answer, client, true);
    } catch (error) {
      if (error instanceof CliFailure) return error;
    }
    throw new Error('It did not fail.');
  };
  const ok = (response: ServerResponse): void => {
    response.end('{"results": []}');
  };

  it('asks the next gateway when one cannot be reached, and stays with it', async () => {
    const client = clientOf(await nobody(), await listen(ok));
    expect(await client.batch(PUT, 'id')).toMatchObject({ status: 200 });
    expect(await client.batch(PUT, 'id')).toMatchObject({ status: 200 });
  });

  it('asks it for all requests that failed at the same time', async () => {
    const client = clientOf(await nobody(), await listen(ok));
    const answers = await Promise.all(['1', '2', '3', '4'].map((id) => client.batch(PUT, id)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  const refuse = (response: ServerResponse): void => {
    response.statusCode = 503;
    response.end('{"code": "UNAVAILABLE"}');
  };
  const refuseAll = (response: ServerResponse): void => {
    const results = new BinaryResultsWriter(2);
    for (let i = 0; i < 2; i += 1) results.add({ status: 503, code: 'UNAVAILABLE' });
    response.end(results.take());
  };

  it.each([
    ['a request', refuse],
    ['each operation of a batch', refuseAll],
  ])('asks another one next when one can do nothing of it: %s', async (_, unavailable) => {
    const done = new BinaryResultsWriter(1);
    done.written(200, 1, 1);
    const client = clientOf(await listen(unavailable), await listen((response) => response.end(done.take())));
    const asked = Array.from({ length: 4 }, () => client.binaryBatch(PUT, 'id'));
    const answers = await Promise.all(asked);
    expect(answers.flatMap(({ body }) => body?.results ?? []).filter(({ status }) => status === 200)).toEqual(
      [],
    );
    const { body } = await client.binaryBatch(PUT, 'id');
    expect(body?.results).toEqual([{ status: 200, revision: 1, version: 1 }]);
  });

  it('says that nothing was done where no gateway took the connection', async () => {
    expect(await failureOf(clientOf(await nobody(), await nobody()))).toMatchObject({
      exitCode: EXIT.nothingDone,
    });
  });

  it('says that the outcome is unknown where one may have got the write', async () => {
    const broken = await listen((response) => response.destroy());
    expect(await failureOf(clientOf(broken, await nobody()))).toMatchObject({ exitCode: EXIT.unknown });
    expect(await failureOf(clientOf(await nobody(), broken))).toMatchObject({ exitCode: EXIT.unknown });
  });

  it.each<[string, (client: GatewayClient) => Promise<{ readonly status: number }>]>([
    ['make a token', (client) => client.createToken({ name: 'ci', grants: [] })],
    ['revoke a token', (client) => client.revokeToken('abcdefghijkl')],
    ['change the plan', (client) => client.change('/moves:pause', { method: 'POST' }, 'epoch')],
    ['change the group', (client) => client.changeCoordinators('/members', { method: 'POST' }, 'index')],
  ])('asks no other gateway to %s where the first may have done it', async (_what, call) => {
    let asked = 0;
    const broken = await listen((response) => response.destroy());
    const other = await listen((response) => {
      asked += 1;
      response.end('{"id": "t", "epoch": 1, "index": 1}');
    });
    expect(await call(clientOf(broken, other))).toMatchObject({ status: 0, neverSent: false });
    expect(asked).toBe(0);
    expect(await call(clientOf(await nobody(), other))).toMatchObject({ status: 200 });
  });

  it('asks another gateway for what is only read, and for writes with an idempotency key', async () => {
    const broken = await listen((response) => response.destroy());
    const other = await listen((response) => response.end('{"results": [], "epoch": 1}'));
    expect(await clientOf(broken, other).read('/plan', 'epoch' as never)).toMatchObject({ status: 200 });
    expect(await clientOf(broken, other).batch(PUT, 'id')).toMatchObject({ status: 200 });
  });

  it('says that nothing was done at a port that fetch never calls', async () => {
    expect(await failureOf(clientOf('http://127.0.0.1:6666'))).toMatchObject({ exitCode: EXIT.nothingDone });
  });

  it('says that it was stopped, and not that no gateway answers, where Ctrl-C has ended a request', async () => {
    const stop = new AbortController();
    const url = await listen(() => stop.abort());
    const client = new GatewayClient({ gateways: [url], signal: stop.signal });
    expect(await failureOf(client)).toMatchObject({
      exitCode: EXIT.unknown,
      message: expect.stringContaining('Stopped; the write may or may not have been done'),
    });
    const answer = await client.list({});
    expect(() => bodyOf(answer, client)).toThrow(
      expect.objectContaining({ exitCode: EXIT.stopped, message: 'Stopped.' }),
    );
  });

  it.each([502, 503, 504])(
    'does not know what became of a write that a proxy answers with %i',
    async (status) => {
      const url = await listen((response) => {
        response.statusCode = status;
        response.end('upstream connect error or disconnect/reset before headers');
      });
      expect(await failureOf(clientOf(url))).toMatchObject({ exitCode: EXIT.unknown, status });
    },
  );

  it('shows in one sentence, and no page, that something else answered', async () => {
    const url = await listen((response) => {
      response.statusCode = 502;
      response.end('<html>\n<h1>Bad gateway</h1>\n</html>');
    });
    expect((await failureOf(clientOf(url))).line('text')).toBe(
      'The answer has status 502, and none of the words of a gateway of Ringleader.',
    );
  });

  it.each([
    [400, 'INVALID_ARGUMENT', EXIT.usage],
    [404, 'KEY_NOT_FOUND', EXIT.notFound],
    [412, 'PRECONDITION_FAILED', EXIT.condition],
    [503, 'UNAVAILABLE', EXIT.nothingDone],
    [504, 'OUTCOME_UNKNOWN', EXIT.unknown],
    [504, 'DEADLINE_EXCEEDED', EXIT.nothingDone],
    [410, 'COMPACTED', EXIT.compacted],
    [500, 'INTERNAL', EXIT.failed],
    [409, 'A_CODE_OF_LATER', EXIT.condition],
  ])('maps %s %s to exit code %s', async (status, code, exitCode) => {
    const url = await listen((response) => {
      response.statusCode = status;
      response.end(JSON.stringify({ code, detail: 'why' }));
    });
    const failure = await failureOf(clientOf(url));
    expect(failure).toMatchObject({ exitCode, code, status, message: 'why' });
    expect(failure.line('text')).toBe(`${code}: why`);
    expect(exitCodeOf(status, code)).toBe(exitCode);
  });

  it.each([
    ['a page', 200, '<html></html>', EXIT.unknown],
    ['JSON of its own', 200, '{"hello": "world"}', EXIT.unknown],
    ['null', 200, 'null', EXIT.unknown],
    ['a page that it has not found', 404, '<html></html>', EXIT.failed],
    ['that it has no such resource', 404, '{"code": "ROUTE_NOT_FOUND"}', EXIT.usage],
  ])('does not take another program that answers %s for a gateway', async (_, status, text, exitCode) => {
    const url = await listen((response) => {
      response.statusCode = status;
      response.end(text);
    });
    expect(await failureOf(clientOf(url))).toMatchObject({ exitCode });
  });
});

describe('addresses of gateways', () => {
  it('are one or several, perhaps with a path', () => {
    expect(gateways('http://a:1/, https://b/kv/')).toEqual(['http://a:1', 'https://b/kv']);
  });

  it.each(['', 'a', 'ftp://a', 'http://a,', 'http://user:password@a', 'http://a/?b', 'http://a/#b'])(
    'are not %j',
    (text) => {
      expect(() => gateways(text)).toThrow(InvalidArgumentError);
    },
  );
});
