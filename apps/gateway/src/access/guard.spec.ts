import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@ringleader/observability';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '@ringleader/observability';
import { Admission, admitRequests } from '../http/admission.js';
import { LargeBodies } from '../http/large-bodies.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { TestTokens } from '../../test/support/tokens.js';
import { READ_KEY } from './access.js';
import type { Reviewed } from './authenticator.js';
import { Guard } from './guard.js';

const ACCOUNT = { serviceAccount: 'apps/billing' };
const TIMEOUT_MS = 5_000;

let fastify: FastifyInstance;
let admission: Admission;
let asked: PromiseWithResolvers<void>;
let reviewed: PromiseWithResolvers<Reviewed | null>;
let handled: number;

beforeEach(async () => {
  [asked, reviewed, handled] = [Promise.withResolvers(), Promise.withResolvers(), 0];
  const review = (): Promise<Reviewed | null> => {
    asked.resolve();
    return reviewed.promise;
  };
  const tokens = new TestTokens({ mayKnow: () => true, review });
  tokens.add([{ role: 'read', prefix: '' }], ACCOUNT);
  const logger = { info: () => undefined, error: () => undefined } as unknown as Logger;
  const filter = new ProblemFilter(logger, () => null);
  admission = new Admission({ requestsMax: 10, bytesMax: 1_000, clientRequestsMax: 10 });
  fastify = Fastify();
  new Guard({ authenticator: tokens.authenticator, clock: systemClock, logger }).stand(fastify, filter);
  admitRequests(fastify, {
    ...{ filter, admission, largeBodies: new LargeBodies(1_000_000) },
    timeoutMsOf: () => TIMEOUT_MS,
    checkBeforeBody: () => undefined,
  });
  fastify.get('/v1/kv/:key', { config: { access: READ_KEY } }, () => {
    handled += 1;
    return 'value';
  });
  await fastify.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(() => fastify.close());

async function ask(): Promise<ReturnType<typeof connect>> {
  const { port } = fastify.server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.write('GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a.b.c\r\n\r\n');
  await asked.promise;
  return client;
}

const answer = async (): Promise<void> => {
  reviewed.resolve({ ...ACCOUNT, untilMs: Infinity });
  await new Promise(setImmediate);
};

describe('who is asked about elsewhere', () => {
  it('is let in once that is answered', async () => {
    const client = await ask();
    await answer();
    const [head] = (await once(client, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1.1 200 /);
    client.destroy();
    expect(handled).toBe(1);
  });

  it('takes no room where they have gone meanwhile: nobody would hear of their end', async () => {
    const closed = new Promise((resolve) => {
      fastify.server.once('connection', (socket) => socket.once('close', resolve));
    });
    const client = await ask();
    client.resetAndDestroy();
    await closed;
    await answer();
    expect([admission.requestsTotal, admission.inFlight, handled]).toEqual([0, 0, 0]);
  });
});
