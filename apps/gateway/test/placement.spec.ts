/** /v1/cluster/shards, /plan, /moves and what is where: what goes to the coordinators, and what comes back. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OperationalError, REST_ERROR_CODES, coordinatorContracts } from '@ringleader/contracts';
import type {
  Incident,
  PlacedShard,
  PlannedMove,
  PlacementOperation,
  VerificationOperation,
} from '@ringleader/contracts';
import type { GatewayHarness } from './support/gateway-harness.js';
import { startGateway } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

const SINCE = '2026-11-26T00:00:00.000Z';
const placed = (ordinal: number): PlacedShard => ({
  ...{
    shard: `shard-${ordinal}`,
    ordinal,
    state: 'active',
    since: SINCE,
    verdict: 'alive',
    zone: '',
    weight: 1,
  },
  ...{ replicas: 16, leaders: 5, arriving: 0, departing: 0, removable: false, notRemovable: 'It holds data' },
});
const MOVE: PlannedMove = {
  ...{ partition: 3, add: 'shard-4', remove: 'shard-1', reason: 'balance', phase: 'planned' },
  ...{
    waitsFor: 'its turn',
    startedAt: null,
    bytesDone: 0,
    bytesTotal: 9,
    bytesPerSecond: 0,
    endsInMs: null,
  },
};
const PLAN = {
  ...{ epoch: 17, paused: false, limits: { movesMax: 4, bytesPerSecondMax: 65_536, replaceAfterMs: 10_000 } },
  ...{ blocked: null, moves: [MOVE], movesTotal: 1, leaderChanges: 0, bytesTotal: 9 },
};
/** The first shard-2, which has come back as a new one, is listed until it holds nothing. */
const REPLACED: PlacedShard = { ...placed(2), state: 'replaced', verdict: 'down' };
const NEWCOMER: PlacedShard = { ...placed(3), shard: 'shard-2', state: 'joining' };
const PLACEMENT = { shards: [placed(1), REPLACED, NEWCOMER], plan: PLAN };
const INCIDENT: Incident = {
  ...{
    id: 'i',
    at: SINCE,
    kind: 'REPLICA_DIFFERED',
    shard: 'shard-1',
    ordinal: 1,
    partition: 3,
    keys: ['k'],
  },
  ...{ detail: 'It differed', mended: true },
};
const VERIFICATION = {
  ...{ id: 'v', startedAt: SINCE, endedAt: null, partitionsTotal: 16, partitionsDone: 3, incomplete: 0 },
  ...{ rows: 9, differed: 0, mended: 0 },
};
const RECOVERY = {
  epoch: 18,
  partitions: [{ partition: 3, kept: ['shard-1'], copying: [], down: [], lost: ['shard-2', 'shard-3'] }],
};
type Asked = PlacementOperation | VerificationOperation;
const ANSWERS: { readonly [O in Asked]?: object } = {
  startVerification: VERIFICATION,
  verification: { verification: VERIFICATION },
  placement: PLACEMENT,
  planPlacement: PLACEMENT,
  changePlacement: { epoch: 18 },
  recoverPartitions: RECOVERY,
};

let gateway: GatewayHarness;
let asked: object[];
let refusal: OperationalError | null;
const base = (): string => `${gateway.url}/v1/cluster`;
const sent = (method: string, body?: unknown, headers: Record<string, string> = {}): RequestInit =>
  body === undefined
    ? { method, headers }
    : { method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } };

beforeEach(async () => {
  asked = [];
  refusal = null;
  gateway = await startGateway({
    coordination: {
      ask: (operation, request) => {
        asked.push({ operation, ...request });
        const answer = ANSWERS[operation as Asked] as never;
        return refusal === null ? Promise.resolve(answer) : Promise.reject(refusal);
      },
    },
    incidents: [INCIDENT],
  });
});
afterEach(() => gateway.close());

describe('what there is', () => {
  it.each([
    ['/shards', { items: PLACEMENT.shards }],
    ['/shards/shard-1', placed(1)],
    ['/shards/shard-2', NEWCOMER],
    ['/plan', PLAN],
    ['/moves', { items: [MOVE] }],
  ])('GET %s comes with the epoch of the plan', async (path, body) => {
    const answer = await fetch(base() + path);
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([200, '"17"', body]);
    expect(asked).toEqual([{ operation: 'placement' }]);
  });

  it('tells which shards there are where one is asked for that there is not', async () => {
    const answer = await fetch(`${base()}/shards/shard-9`);
    const shards = ['shard-1', 'shard-2'];
    expect(await problemOf(answer)).toMatchObject({
      status: 404,
      code: 'SHARD_NOT_FOUND',
      shard: 'shard-9',
      shards,
    });
  });

  it('lists incidents, and every partition with its leader', async () => {
    expect(await (await fetch(`${base()}/incidents`)).json()).toEqual({ items: [INCIDENT] });
    const { items } = (await (await fetch(`${base()}/partitions`)).json()) as { items: object[] };
    expect(items).toHaveLength(16);
    expect(items[1]).toEqual({
      ...{
        partition: 1,
        epoch: 1,
        replicas: ['shard-1', 'shard-2', 'shard-3'],
        nextReplicas: null,
        learners: [],
      },
      ...{ leader: 'shard-2', preferredLeader: 'shard-2' },
    });
    expect(asked).toEqual([]);
  });

  it('says where a key is, both sets while its replicas are exchanged', async () => {
    const key = 'a key/ä';
    const before = (await (await fetch(`${base()}/where?key=${encodeURIComponent(key)}`)).json()) as {
      readonly partition: number;
    };
    expect(before).toMatchObject({ key, nextReplicas: null });
    const entry = gateway.shards.entries[before.partition]!;
    gateway.shards.entries[before.partition] = { ...entry, epoch: 7, nextReplicas: [1, 2, 4], learners: [5] };
    expect(await (await fetch(`${base()}/where?key=${encodeURIComponent(key)}`)).json()).toMatchObject({
      ...{ epoch: 7, nextReplicas: ['shard-1', 'shard-2', 'ordinal-4'], learners: ['ordinal-5'] },
    });
  });
});

describe('commands', () => {
  it.each([
    ['POST', '/shards/shard-1:drain', undefined, { kind: 'drain', shard: 'shard-1' }],
    ['POST', '/shards/shard-1:undrain', undefined, { kind: 'undrain', shard: 'shard-1' }],
    ['DELETE', '/shards/shard-1', undefined, { kind: 'remove', shard: 'shard-1' }],
    ['PATCH', '/shards/shard-1', { weight: 2.5 }, { kind: 'weight', shard: 'shard-1', weight: 2.5 }],
    ['PATCH', '/plan', { limits: { movesMax: 2 } }, { kind: 'limits', limits: { movesMax: 2 } }],
    ['POST', '/moves:pause', undefined, { kind: 'pause' }],
    ['POST', '/moves:resume', undefined, { kind: 'resume' }],
    ['POST', '/moves:cancel', undefined, { kind: 'cancel' }],
    ['POST', '/moves:cancel', { partition: 3 }, { kind: 'cancel', partition: 3 }],
  ])('%s %s %j', async (method, path, body, command) => {
    const answer = await fetch(base() + path, sent(method, body, { 'If-Match': '"17"' }));
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([
      200,
      '"18"',
      { epoch: 18 },
    ]);
    await fetch(base() + path, sent(method, body));
    const operation = 'changePlacement';
    expect(asked).toEqual([
      { operation, command, ifEpoch: 17 },
      { operation, command },
    ]);
  });

  it('takes any number as a condition: one that no plan has is not met', async () => {
    const answer = await fetch(`${base()}/moves:pause`, sent('POST', undefined, { 'If-Match': '"0"' }));
    expect(answer.status).toBe(200);
    const [{ command, ifEpoch }] = asked as [{ command: object; ifEpoch: number }];
    const { request } = coordinatorContracts.changePlacement;
    expect(request.safeParse({ command, ifEpoch }).success).toBe(true);
  });

  it.each([
    [{ dryRun: true }, { lost: [], dryRun: true }],
    [
      { lost: ['shard-2'], acceptDataLoss: true },
      { lost: ['shard-2'], dryRun: false },
    ],
  ])('POST /partitions:recover %j', async (body, request) => {
    const path = `${base()}/partitions:recover`;
    const answer = await fetch(path, sent('POST', body, { 'If-Match': '"17"' }));
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([200, '"18"', RECOVERY]);
    await fetch(path, sent('POST', body));
    const operation = 'recoverPartitions';
    expect(asked).toEqual([
      { operation, ...request, ifEpoch: 17 },
      { operation, ...request },
    ]);
  });

  it('takes a merge patch by its own type', async () => {
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    expect((await fetch(`${base()}/shards/shard-1`, sent('PATCH', { weight: 2 }, headers))).status).toBe(200);
    const odd = await fetch(`${base()}/moves:cancel`, sent('POST', { partition: 2 }, headers));
    expect(await problemOf(odd)).toMatchObject({ status: 415, allowed: ['application/json'] });
  });

  it('plans without doing, also nothing at all', async () => {
    const commands = [
      { kind: 'drain', shard: 'shard-1' },
      { kind: 'weight', shard: 'shard-2', weight: 2 },
    ];
    const answer = await fetch(`${base()}/plan:dry-run`, sent('POST', { commands }));
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([
      200,
      '"17"',
      PLACEMENT,
    ]);
    await fetch(`${base()}/plan:dry-run`, { method: 'POST' });
    const operation = 'planPlacement';
    expect(asked).toEqual([
      { operation, commands },
      { operation, commands: [] },
    ]);
  });

  it.each([
    ['PRECONDITION_FAILED', 412, { epoch: 19 }],
    ['SHARD_NOT_FOUND', 404, { shard: 'shard-1', shards: ['shard-2'] }],
    ['SHARD_HOLDS_DATA', 409, { shard: 'shard-1', replicas: 3, state: 'active' }],
    ['REPLICATION_AT_RISK', 409, { shard: 'shard-1', shards: 2, replicationFactor: 3 }],
    ['ALREADY_SO', 409, { shard: 'shard-1', state: 'draining' }],
    ['NOTHING_TO_CANCEL', 409, { partition: 3 }],
    ['UNAVAILABLE', 503, { operation: 'changePlacement' }],
    ['OUTCOME_UNKNOWN', 504, { operation: 'changePlacement', timeoutMs: 3_000 }],
    ['DISK_FULL', 507, { isMajorityFull: true }],
  ] as const)('are refused by the coordinators with %s', async (code, status, details) => {
    refusal = new OperationalError(code, 'It is refused', details);
    const answer = await fetch(`${base()}/shards/shard-1:drain`, { method: 'POST' });
    expect(await problemOf(answer)).toMatchObject({ status, code, detail: 'It is refused', ...details });
  });

  it.each([
    ['POST', '/shards/shard-1:empty', undefined, { parameter: 'shard' }],
    ['POST', '/shards/shard-1', undefined, { parameter: 'shard' }],
    ['PATCH', '/shards/shard-1', {}, { field: 'weight' }],
    ['PATCH', '/shards/shard-1', { weight: 0 }, { field: 'weight' }],
    ['PATCH', '/shards/shard-1', { weight: 101 }, { field: 'weight' }],
    ['PATCH', '/shards/shard-1', { weight: 1, zone: 'a' }, { field: 'zone' }],
    ['PATCH', '/plan', { limits: {} }, { field: 'limits' }],
    ['PATCH', '/plan', { limits: { movesMax: 0 } }, { field: 'limits.movesMax' }],
    ['PATCH', '/plan', { limits: { movesMin: 1 } }, { field: 'limits.movesMin' }],
    ['PATCH', '/plan', { paused: true }, {}],
    ['POST', '/moves:cancel', { partition: -1 }, { field: 'partition' }],
    ['POST', '/plan:dry-run', { commands: [{ kind: 'burn' }] }, { field: 'commands.0.kind' }],
    [
      'POST',
      '/plan:dry-run',
      { commands: [{ kind: 'drain', shard: 'a', now: 1 }] },
      { field: 'commands.0.now' },
    ],
    ['POST', '/partitions:recover', { lost: ['shard-2'] }, { field: 'acceptDataLoss' }],
    ['POST', '/partitions:recover', undefined, { field: 'acceptDataLoss' }],
    ['POST', '/partitions:recover', { lost: 'shard-2', dryRun: true }, { field: 'lost' }],
    ['POST', '/partitions:recover', { dryRun: true, force: true }, { field: 'force' }],
    ['POST', '/moves:pause', { partition: 7 }, { field: 'partition' }],
    ['POST', '/moves:resume', { partition: 7 }, { field: 'partition' }],
    ['POST', '/shards/shard-1:drain', { wait: true }, { field: 'wait' }],
    ['POST', '/shards/shard-1:undrain', { weight: 2 }, { field: 'weight' }],
    ['DELETE', '/shards/shard-1', { force: true }, { field: 'force' }],
    ['POST', '/moves:pause?now=1', undefined, { parameter: 'now' }],
    ['GET', '/where', undefined, { parameter: 'key' }],
    ['GET', '/where?key=', undefined, { parameter: 'key' }],
    ['GET', '/where?key=a&as=b', undefined, { parameter: 'as' }],
    ['GET', '/partitions?limit=1', undefined, { parameter: 'limit' }],
  ])('%s %s %j is no valid request', async (method, path, body, names) => {
    const answer = await fetch(base() + path, sent(method, body));
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', ...names });
    expect(asked).toEqual([]);
  });

  it('take an empty object for a body that says nothing, and no garbage', async () => {
    const said = (body: string): RequestInit => ({
      ...{ method: 'POST', body, headers: { 'Content-Type': 'application/json' } },
    });
    expect((await fetch(`${base()}/moves:pause`, said('{}'))).status).toBe(200);
    expect(await problemOf(await fetch(`${base()}/moves:pause`, said('garbage')))).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', field: 'body' },
    });
    const form = await fetch(`${base()}/moves:pause`, {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
    });
    expect(await problemOf(form)).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
    expect(asked).toHaveLength(1);
  });

  it.each(['17', '"x"', '*', 'W/"17"'])('know no condition If-Match: %s', async (condition) => {
    const answer = await fetch(`${base()}/moves:pause`, sent('POST', undefined, { 'If-Match': condition }));
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', header: 'If-Match' });
  });
});

it('has replicas held against each other, and tells how far that is', async () => {
  const begun = await fetch(`${base()}:verify`, { method: 'POST' });
  expect([begun.status, await begun.json()]).toEqual([200, VERIFICATION]);
  expect(await (await fetch(`${base()}/verification`)).json()).toEqual({ verification: VERIFICATION });
  expect(asked).toEqual([{ operation: 'startVerification' }, { operation: 'verification' }]);
  const odd = await fetch(`${base()}:verify`, sent('POST', { partition: 3 }));
  expect(await problemOf(odd)).toMatchObject({ code: 'INVALID_ARGUMENT', field: 'partition' });
});

it('knows every error that the coordinators answer operators with', () => {
  const { placement, planPlacement, changePlacement, startVerification, verification } = coordinatorContracts;
  const calls = [placement, planPlacement, changePlacement, startVerification, verification];
  const told = new Set<string>(calls.flatMap(({ errors }) => errors));
  for (const code of [...REST_ERROR_CODES, 'NOT_LEADER', 'FORBIDDEN']) told.delete(code);
  expect([...told]).toEqual([]);
});
