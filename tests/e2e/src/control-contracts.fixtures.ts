/**
 * One request and response for each control contract. A contract without a fixture does not compile.
 */
import { type coordinatorContracts } from '@ringleader/contracts';
import type {
  CoordinatorOperation,
  RequestOf,
  ResponseOf,
  Verification,
  VerdictRecord,
  Vote,
} from '@ringleader/contracts';

type Fixtures = {
  readonly [Operation in CoordinatorOperation]: {
    readonly request: RequestOf<(typeof coordinatorContracts)[Operation]>;
    readonly response: ResponseOf<(typeof coordinatorContracts)[Operation]>;
  };
};

const item = { key: '/a', value: 'é', createRevision: 2, modRevision: 3, version: 2, lease: 7 };

const bytesItem = { ...item, key: '/b', value: '', valueBase64: '/w==' };

const since = '2026-01-01T00:00:00.000Z';

const placed: ResponseOf<typeof coordinatorContracts.placement> = {
  shards: [
    {
      ...{ shard: 'shard-1', ordinal: 1, state: 'active', since, verdict: 'alive', zone: '', weight: 1 },
      ...{ replicas: 16, leaders: 5, arriving: 0, departing: 1 },
      ...{ removable: false, notRemovable: 'it holds 16 partitions' },
    },
  ],
  plan: {
    ...{ epoch: 3, paused: false, blocked: null, movesTotal: 1, leaderChanges: 0, bytesTotal: 100 },
    limits: { movesMax: 4, bytesPerSecondMax: 1_000_000, replaceAfterMs: 600_000 },
    moves: [
      {
        ...{ partition: 3, add: 'shard-4', remove: 'shard-1', reason: 'balance', phase: 'learn' },
        ...{ waitsFor: 'shard-4 to catch up', startedAt: since, bytesDone: 10, bytesTotal: 100 },
        ...{ bytesPerSecond: 5, endsInMs: 18_000 },
      },
    ],
  },
};

const doubted = { service: 'shard', id: 'shard-1', instance: 'one' } as const;
const vote = {
  ...{ verdict: 'down', phi: 12.5, missedBeats: 9, silentMs: 2_250 },
  probes: [{ by: 'gateway-1', outcome: 'silent' }],
} satisfies Omit<Vote, 'detector'>;
const verdict: VerdictRecord = {
  ...doubted,
  ...{ verdict: 'down', since, votes: [{ detector: 'failure-detector-1', ...vote }] },
};

const verification: Verification = {
  ...{ id: 'v', startedAt: since, endedAt: null, partitionsTotal: 64, partitionsDone: 3, incomplete: 1 },
  ...{ rows: 100, differed: 1, mended: 1 },
};

export const controlFixtures: Fixtures = {
  range: {
    request: {
      ...{ key: '/a', rangeEnd: '/b', limit: 10, revision: 3, serializable: true, values: 'text' },
      ...{ sortBy: 'value', order: 'descending', keysOnly: false, countOnly: false },
      ...{ minModRevision: 1, maxModRevision: 9, minCreateRevision: 1, maxCreateRevision: 9 },
    },
    response: { revision: 4, items: [item, bytesItem], count: 2, more: false },
  },
  txn: {
    request: {
      compare: [
        { key: '/a', target: 'version', result: 'equal', operand: 0 },
        { key: '/a', rangeEnd: '/b', target: 'value', result: 'notEqual', operand: 'x' },
        { key: '/a', target: 'value', result: 'less', operandBase64: '/w==' },
      ],
      success: [{ kind: 'put', key: '/a', value: '1', lease: 7 }],
      failure: [
        { kind: 'delete', key: '/a', rangeEnd: '/b' },
        { kind: 'range', key: '/a', limit: 1 },
        {
          kind: 'txn',
          compare: [],
          success: [
            { kind: 'put', key: '/b', valueBase64: '/w==', wantsPrevious: true },
            { kind: 'put', key: '/c', keepValue: true, keepLease: true },
          ],
          failure: [],
        },
      ],
      values: 'base64',
    },
    response: {
      revision: 5,
      succeeded: false,
      results: [
        { kind: 'delete', deleted: 1, previous: [item], more: false },
        { kind: 'range', items: [item], count: 2, more: true },
        {
          kind: 'txn',
          succeeded: true,
          results: [
            { kind: 'put', previous: bytesItem },
            { kind: 'put', more: true },
          ],
        },
      ],
    },
  },
  leaseGrant: { request: { ttlMs: 5_000, leaseId: 7 }, response: { leaseId: 7, ttlMs: 5_000 } },
  leaseKeepAlive: { request: { leaseId: 7 }, response: { ttlMs: 5_000 } },
  leaseTimeToLive: {
    request: { leaseId: 7, wantsKeys: true, keysFrom: '/a' },
    response: { ttlMs: 5_000, remainingMs: 4_200, keys: ['/a'], more: false },
  },
  leases: { request: { from: 3 }, response: { leases: [{ leaseId: 7, ttlMs: 5_000 }], more: false } },
  leaseRevoke: { request: { leaseId: 7 }, response: { revision: 6 } },
  watch: {
    request: { key: '/', rangeEnd: '0', fromRevision: 3, waitMs: 100 },
    response: {
      events: [
        { kind: 'put', item },
        { kind: 'delete', item: { ...item, value: '', version: 0 } },
      ],
      nextRevision: 7,
      nextSkip: 0,
    },
  },
  watchStream: {
    request: {
      ...{ stream: 'a1', isNew: true, received: 7, cancel: [1], wantsProgress: true, isClosed: false },
      add: [
        {
          id: 2,
          key: '/',
          rangeEnd: '0',
          fromRevision: 3,
          noPuts: true,
          noDeletes: true,
          wantsPrevious: true,
        },
      ],
    },
    response: { sent: 7, windowBytes: 524_288 },
  },
  status: {
    request: {},
    response: {
      memberId: 1,
      term: 2,
      leader: 1,
      role: 'leader',
      commitIndex: 9,
      appliedIndex: 9,
      firstIndex: 1,
      lastIndex: 10,
      revision: 6,
      compactRevision: 0,
      leases: 1,
      storeBytes: 640,
      storeBytesMax: 1_000_000,
    },
  },
  members: {
    request: {},
    response: {
      leader: 'coordinator-1',
      term: 2,
      index: 4,
      revision: 6,
      joint: false,
      members: [
        {
          ...{ name: 'coordinator-1', id: '9007199254740991', role: 'leader', term: 2 },
          ...{ match: 9, lag: 0, reachable: true },
        },
        {
          ...{ name: 'coordinator-2', id: '12345678', role: 'learner', term: 2 },
          ...{ match: 4, lag: 5, reachable: true, replaces: '87654321' },
        },
      ],
      applicants: [{ name: 'coordinator-4', id: '42424242' }],
    },
  },
  changeMembers: {
    request: { kind: 'add', seat: 4, isPromotedItself: false, ifIndex: 4 },
    response: { index: 5 },
  },
  transferLeader: { request: { to: 2 }, response: { leader: 2 } },
  compact: { request: { revision: 17 }, response: { compactedRevision: 17 } },
  hash: {
    request: { revision: 17 },
    response: { id: '9007199254740991', revision: 18, compactedRevision: 0, hash: '0123456789abcdef' },
  },
  openSnapshot: { request: {}, response: { snapshot: 'one', revision: 17 } },
  readSnapshot: {
    request: { snapshot: 'one', part: 2 },
    response: { dataBase64: 'AAEC', isLast: true },
  },
  closeSnapshot: { request: { snapshot: 'one' }, response: {} },
  hashes: {
    request: {},
    response: {
      revision: 17,
      consistent: true,
      members: [
        { name: 'coordinator-1', id: '12345678', hash: '0123456789abcdef', state: 'agrees' },
        { name: 'coordinator-2', id: '23456789', hash: null, state: 'silent' },
      ],
    },
  },
  reportMoves: {
    request: {
      ordinal: 1,
      incarnation: 2,
      reports: [
        {
          ...{ partition: 3, epoch: 4, ballot: 65_537, ready: false },
          learners: [{ ordinal: 4, caughtUp: false, bytesDone: 10, bytesTotal: 100 }],
        },
      ],
    },
    response: {},
  },
  placement: { request: {}, response: placed },
  planPlacement: { request: { commands: [{ kind: 'drain', shard: 'shard-1' }] }, response: placed },
  changePlacement: {
    request: { command: { kind: 'weight', shard: 'shard-1', weight: 2 }, ifEpoch: 3 },
    response: { epoch: 4 },
  },
  recoverPartitions: {
    request: { lost: ['shard-2'], dryRun: false, ifEpoch: 3 },
    response: {
      epoch: 4,
      partitions: [
        {
          partition: 1,
          kept: ['shard-1'],
          copying: ['shard-4'],
          down: ['shard-1'],
          lost: ['shard-2', 'shard-3'],
        },
      ],
    },
  },
  vote: {
    request: { instance: 'i', sequence: 1, unheard: ['shard/shard-2'], votes: [{ ...doubted, ...vote }] },
    response: { verdicts: [verdict] },
  },
  reportIncident: {
    request: {
      ...{ kind: 'REPLICA_DIFFERED', shard: 'shard-1', ordinal: 1, partition: 3, keys: ['a'] },
      ...{ detail: 'one row differed', mended: true },
    },
    response: { id: '1' },
  },
  startVerification: { request: {}, response: verification },
  verification: { request: {}, response: { verification } },
  reportVerification: {
    request: {
      id: 'v',
      partitions: [{ partition: 3, complete: true, rows: 100, differed: 1, mended: 1 }],
    },
    response: {},
  },
};
