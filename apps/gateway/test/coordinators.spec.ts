/** /v1/cluster/coordinator/...: what goes to the coordinators, and what comes back. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CoordinatorMembers,
  OperationalError,
  REST_ERROR_CODES,
  type PlacementOperation,
  type UpkeepOperation,
  type VerificationOperation,
  coordinatorContracts,
} from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import type { GatewayHarness } from './support/gateway-harness.js';
import { startGateway } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

const ANSWERS: { readonly [O in UpkeepOperation | PlacementOperation | VerificationOperation]?: object } = {
  compact: { compactedRevision: 17 },
  hashes: { revision: 18, consistent: true, members: [] },
};

const GROUP = {
  leader: 'coordinator-3',
  members: [{ name: 'coordinator-2' }, { name: 'coordinator-3' }],
} as CoordinatorMembers;
const OPENED = { snapshot: 's', revision: 17 };
const ENDLESS = Buffer.alloc(524_288).toString('base64');
const PARTS = ['one', 'two', 'three'];
/** What becomes of the next requests for parts, before they are answered. */
let lost: ('DEADLINE_EXCEEDED' | 'UNAVAILABLE')[];
let given: number;
let isEndless: boolean;
/** Settles when a snapshot is opened. */
let opening: Promise<void>;
/** At the member. */
let isClosed: Promise<void>;
let whenClosed: () => void;

/** A member that gives the next part at each request. */
function snapshotAnswer(operation: UpkeepOperation): Promise<object> {
  if (refusal !== null) return Promise.reject(refusal);
  if (operation === 'closeSnapshot') whenClosed();
  if (operation === 'openSnapshot') return opening.then(() => OPENED);
  if (isEndless) return Promise.resolve({ dataBase64: ENDLESS, isLast: false });
  const code = given === 0 ? undefined : lost.shift();
  if (code !== undefined) return Promise.reject(new OperationalError(code, 'Lost'));
  const dataBase64 = Buffer.from(PARTS[given] ?? '').toString('base64');
  given += 1;
  return Promise.resolve({ dataBase64, isLast: given === PARTS.length });
}

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
  lost = [];
  given = 0;
  isEndless = false;
  opening = Promise.resolve();
  isClosed = new Promise((resolve) => (whenClosed = resolve));
  refusal = null;
  const answer = <T>(request: unknown, response: T): Promise<T> => {
    asked.push(request);
    return refusal === null ? Promise.resolve(response) : Promise.reject(refusal);
  };
  gateway = await startGateway({
    coordination: {
      changeMembers: (request) => answer(request, { index: 9 }),
      transferLeader: (request) => answer(request, { leader: 2 }),
      members: () => Promise.resolve(GROUP),
      askMember: (seat, operation, request) => {
        asked.push({ seat, operation, ...request });
        return snapshotAnswer(operation) as never;
      },
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

  it.each([
    ['DELETE', '/members/coordinator-5', 'If-Unmodified-Since'],
    ['POST', '/members/coordinator-2:promote', 'If-None-Match'],
    ['GET', '/members', 'If-Match'],
    ['GET', '/members', 'If-Unmodified-Since'],
  ])('%s %s ignores no %s', async (method, path, name) => {
    const headers = { [name]: name.endsWith('Since') ? 'Sun, 06 Nov 1994 08:49:37 GMT' : '"17"' };
    const answer = await fetch(base() + path, { method, headers });
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', header: name });
    expect(asked).toEqual([]);
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
    ['POST', '/members', { name: 'shard-1' }, { field: 'name' }],
    ['POST', '/members', { nome: 'coordinator-1' }, { field: 'name' }],
    ['POST', '/members/coordinator-1:demote', {}, { parameter: 'member' }],
    ['POST', '/members/coordinator-1', {}, { parameter: 'member' }],
    ['DELETE', '/members/coordinator-10', undefined, { parameter: 'member' }],
    ['POST', '/members/coordinator-2:promote', { learner: true }, { field: 'learner' }],
    ['DELETE', '/members/coordinator-5', { force: true }, { field: 'force' }],
    ['POST', ':transfer-leader', { to: 'nobody' }, { field: 'to' }],
  ])('%s %s %j is no valid request', async (method, path, body, names) => {
    const answer = await fetch(base() + path, body === undefined ? { method } : json(method, body));
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', ...names });
    expect(asked).toEqual([]);
  });
});

it('tells what there is to be done with a member where it is asked for something else', async () => {
  const answer = await fetch(`${base()}/members/coordinator-1`);
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'DELETE, OPTIONS, POST']);
  expect((await fetch(`${base()}/members/coordinator-1/more`)).status).toBe(404);
});

it('hands leadership over, to whom is named or to anybody', async () => {
  const named = await fetch(`${base()}:transfer-leader`, json('POST', { to: 'coordinator-2' }));
  expect(await named.json()).toEqual({ leader: 'coordinator-2' });
  await fetch(`${base()}:transfer-leader`, { method: 'POST' });
  const headers = { 'If-Match': '"17"' };
  const conditional = await fetch(`${base()}:transfer-leader`, { method: 'POST', headers });
  expect(await problemOf(conditional)).toMatchObject({ code: 'INVALID_ARGUMENT', header: 'If-Match' });
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
    refusal = new OperationalError('FUTURE_REVISION', 'To come', { field: 'revision', revision: 20 });
    for (const request of [
      fetch(`${base()}/hash?revision=21`),
      fetch(`${base()}:compact`, json('POST', { revision: 21 })),
    ]) {
      expect(await problemOf(await request)).toMatchObject({
        status: 400,
        code: 'FUTURE_REVISION',
        revision: 20,
      });
    }
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

describe('a snapshot', () => {
  it('comes from the leader, or from whom is named, and parts that got lost are asked for again', async () => {
    lost = ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'];
    const answer = await fetch(`${base()}/snapshot`);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toContain('coordinators-17.snapshot');
    expect(await answer.text()).toBe('onetwothree');
    const parts = [0, 1, 1, 1, 2].map((part) => ({
      seat: 3,
      operation: 'readSnapshot',
      snapshot: 's',
      part,
    }));
    expect(asked).toEqual([{ seat: 3, operation: 'openSnapshot' }, ...parts]);
    given = 0;
    await (await fetch(`${base()}/snapshot?from=coordinator-2`)).text();
    expect(asked.at(-1)).toMatchObject({ seat: 2 });
    asked = [];
    expect((await fetch(`${base()}/snapshot`, { method: 'HEAD' })).status).toBe(200);
    await isClosed;
    const closed = { seat: 3, operation: 'closeSnapshot', snapshot: 's' };
    expect(asked).toEqual([{ seat: 3, operation: 'openSnapshot' }, closed]);
  });

  it('is closed at the member where the client goes away', async () => {
    isEndless = true;
    const { body } = await fetch(`${base()}/snapshot`);
    const reader = body!.getReader();
    await reader.read();
    await reader.cancel();
    await isClosed;
    expect(asked.at(-1)).toEqual({ seat: 3, operation: 'closeSnapshot', snapshot: 's' });
  });

  it('is closed at the member where the client has gone away before it was opened', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    opening = promise;
    isEndless = true;
    const gone = new AbortController();
    const answer = fetch(`${base()}/snapshot`, { signal: gone.signal });
    await until('the member is asked', () => asked.length > 0, { timeoutMs: 30_000, everyMs: 1 });
    gone.abort();
    await expect(answer).rejects.toThrow();
    // By then the connection before it has been seen to end.
    await fetch(`${base()}/members`);
    resolve();
    await isClosed;
    expect(asked.at(-1)).toEqual({ seat: 3, operation: 'closeSnapshot', snapshot: 's' });
  });

  it('is refused before it begins, and broken off afterwards, never ended as if it were whole', async () => {
    const odd = await fetch(`${base()}/snapshot?from=shard-1`);
    expect(await problemOf(odd)).toMatchObject({ code: 'INVALID_ARGUMENT', parameter: 'from' });
    const nobody = await fetch(`${base()}/snapshot?from=coordinator-9`);
    expect(await problemOf(nobody)).toMatchObject({ status: 404, code: 'MEMBER_NOT_FOUND' });
    refusal = new OperationalError('UNAVAILABLE', 'No majority');
    expect((await fetch(`${base()}/snapshot`)).status).toBe(503);
    refusal = null;
    lost = ['UNAVAILABLE'];
    await expect(fetch(`${base()}/snapshot`).then((answer) => answer.text())).rejects.toThrow();
  });
});

it('knows every error that the coordinators answer operators with', () => {
  const { members, changeMembers, transferLeader, compact, hashes, openSnapshot } = coordinatorContracts;
  const calls = [members, changeMembers, transferLeader, compact, hashes, openSnapshot];
  const told = new Set<string>(calls.flatMap(({ errors }) => errors));
  // Whoever calls follows NOT_LEADER to the leader, and gateways may do all this.
  for (const code of [...REST_ERROR_CODES, 'NOT_LEADER', 'FORBIDDEN']) told.delete(code);
  expect([...told]).toEqual([]);
});
