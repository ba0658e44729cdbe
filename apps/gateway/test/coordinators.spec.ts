/** /v1/cluster/coordinator/...: what goes to the coordinators, and what comes back. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OperationalError, type UpkeepOperation } from '@ringleader/contracts';
import type { GatewayHarness } from './support/gateway-harness.js';
import { startGateway } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

const ANSWERS: { readonly [O in UpkeepOperation]?: object } = {
  compact: { compactedRevision: 17 },
  hashes: { revision: 18, consistent: true, members: [] },
};

let gateway: GatewayHarness;
let asked: unknown[];
let refusal: OperationalError | null;
const base = (): string => `${gateway.url}/v1/cluster/coordinator`;
const json = (method: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method,
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json', ...headers },
});

beforeEach(async () => {
  asked = [];
  refusal = null;
  const answer = <T>(request: unknown, response: T): Promise<T> => {
    asked.push(request);
    return refusal === null ? Promise.resolve(response) : Promise.reject(refusal);
  };
  gateway = await startGateway({
    coordination: {
      changeMembers: (request) => answer(request, { index: 9 }),
      transferLeader: (request) => answer(request, { leader: 2 }),
      ask: (operation, request) => answer({ operation, ...request }, ANSWERS[operation] as never),
    },
  });
});
afterEach(() => gateway.close());

describe('changes of the group', () => {
  it.each([
    ['POST', '/members', { name: 'coordinator-4' }, { kind: 'add', seat: 4, isPromotedItself: true }],
    [
      'POST',
      '/members',
      { name: 'coordinator-4', learner: true },
      { kind: 'add', seat: 4, isPromotedItself: false },
    ],
    ['POST', '/members/coordinator-2:promote', undefined, { kind: 'promote', seat: 2 }],
    ['POST', '/members/coordinator-2:replace', undefined, { kind: 'replace', seat: 2 }],
    ['DELETE', '/members/coordinator-5', undefined, { kind: 'remove', seat: 5 }],
  ])('%s %s %j', async (method, path, body, request) => {
    const init = body === undefined ? { method } : json(method, body);
    const answer = await fetch(base() + path, init);
    expect([answer.status, await answer.json()]).toEqual([200, { index: 9 }]);
    expect(asked).toEqual([request]);
  });

  it('go under the condition that is asked for', async () => {
    const headers = { 'If-Match': '"17"' };
    await fetch(`${base()}/members/coordinator-5`, { method: 'DELETE', headers });
    expect(asked).toEqual([{ kind: 'remove', seat: 5, ifIndex: 17 }]);
    const odd = await fetch(`${base()}/members/coordinator-5`, {
      method: 'DELETE',
      headers: { 'If-Match': '17' },
    });
    expect(await problemOf(odd)).toMatchObject({ code: 'INVALID_ARGUMENT', header: 'If-Match' });
  });

  it('are refused in the words of the coordinators', async () => {
    refusal = new OperationalError('NO_APPLICANT', 'Nobody waits', { name: 'coordinator-4' });
    const answer = await fetch(`${base()}/members`, json('POST', { name: 'coordinator-4' }));
    expect(await problemOf(answer)).toMatchObject({
      status: 409,
      code: 'NO_APPLICANT',
      name: 'coordinator-4',
    });
  });

  it.each([
    ['POST', '/members', { name: 'shard-1' }],
    ['POST', '/members', { nome: 'coordinator-1' }],
    ['POST', '/members/coordinator-1:demote', {}],
    ['POST', '/members/coordinator-1', {}],
    ['DELETE', '/members/coordinator-10', undefined],
    ['POST', ':transfer-leader', { to: 'nobody' }],
  ])('%s %s %j is no valid request', async (method, path, body) => {
    const answer = await fetch(base() + path, body === undefined ? { method } : json(method, body));
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(asked).toEqual([]);
  });
});

it('hands leadership over, to whom is named or to anybody', async () => {
  const named = await fetch(`${base()}:transfer-leader`, json('POST', { to: 'coordinator-2' }));
  expect(await named.json()).toEqual({ leader: 'coordinator-2' });
  await fetch(`${base()}:transfer-leader`, { method: 'POST' });
  expect(asked).toEqual([{ to: 2 }, {}]);
});

describe('the store', () => {
  it('is compacted, and held against those of other members', async () => {
    const compaction = await fetch(`${base()}:compact`, json('POST', { revision: 17 }));
    expect([compaction.status, await compaction.json()]).toEqual([200, ANSWERS.compact]);
    expect(await (await fetch(`${base()}/hash?revision=18`)).json()).toEqual(ANSWERS.hashes);
    await fetch(`${base()}/hash`);
    expect(asked).toEqual([
      { operation: 'compact', revision: 17 },
      { operation: 'hashes', revision: 18 },
      { operation: 'hashes' },
    ]);
  });

  it('tells what is forgotten, and what never was', async () => {
    refusal = new OperationalError('COMPACTED', 'Gone', { compactedRevision: 20 });
    expect(await problemOf(await fetch(`${base()}/hash?revision=18`))).toMatchObject({
      status: 410,
      code: 'COMPACTED',
      compactedRevision: 20,
    });
  });

  it.each([
    ['POST', ':compact', {}, { field: 'revision' }],
    ['POST', ':compact', { revision: -1 }, { field: 'revision' }],
    ['POST', ':compact', { revision: 1.5 }, { field: 'revision' }],
    ['POST', ':compact?revision=1', { revision: 1 }, { parameter: 'revision' }],
    ['GET', '/hash?revision=0', undefined, { parameter: 'revision', min: 1 }],
    ['GET', '/hash?revision=x', undefined, { parameter: 'revision' }],
  ])('%s %s %j is no valid request', async (method, path, body, names) => {
    const answer = await fetch(base() + path, body === undefined ? { method } : json(method, body));
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', ...names });
    expect(asked).toEqual([]);
  });
});
