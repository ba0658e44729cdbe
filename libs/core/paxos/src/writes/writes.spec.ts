import { describe, expect, it } from '@jest/globals';
import { answer, P, put, started } from '../../test/cluster-client.js';
import { LIMITS } from '../../test/memory-cluster.js';
import { replicaOf } from '../../test/replicas.js';
import { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { Row } from '../records.js';
import type { WriteRequest } from '../requests.js';
import { conditionsHold } from './conditions.js';
import { FailedRequests } from '../partition/failed-requests.js';
import { expiredRow, nextRow } from './next-row.js';
import { RowCache } from '../partition/row-cache.js';

function request(change: Partial<WriteRequest> = {}): WriteRequest {
  return {
    kind: 'write',
    token: 1,
    partition: 0,
    epoch: 1,
    ballot: 1,
    requestId: 'r',
    origin: 10,
    operation: {
      kind: 'put',
      key: 'k',
      value: new Uint8Array([1]),
      contentType: 't',
      expiresAt: null,
      conditions: [],
    },
    deadline: 0,
    ...change,
  };
}

const NEXT = { revision: 5, at: 100, value: new Uint8Array([1]), dedupeFloor: 3, marksMax: 4 };
const ROW: Row = nextRow(null, request(), NEXT);
const STORED = { row: ROW, isBare: false };
const TOMBSTONE: Row = nextRow(
  ROW,
  request({ requestId: 'd', origin: 11, operation: { kind: 'delete', key: 'k', conditions: [] } }),
  { ...NEXT, revision: 6, at: 200, value: null },
);

describe('conditions', () => {
  it('take a tombstone as absent', () => {
    for (const row of [null, TOMBSTONE]) {
      expect(conditionsHold(row, [{ kind: 'ifAbsent' }])).toBe(true);
      expect(conditionsHold(row, [{ kind: 'ifPresent' }])).toBe(false);
      expect(conditionsHold(row, [{ kind: 'ifRevision', revision: 6 }])).toBe(false);
      expect(conditionsHold(row, [{ kind: 'ifVersion', version: 0 }])).toBe(true);
    }
  });

  it('must all hold', () => {
    expect(
      conditionsHold(ROW, [
        { kind: 'ifPresent' },
        { kind: 'ifRevision', revision: 5 },
        { kind: 'ifVersion', version: 1 },
      ]),
    ).toBe(true);
    expect(conditionsHold(ROW, [{ kind: 'ifPresent' }, { kind: 'ifRevision', revision: 4 }])).toBe(false);
  });
});

describe('nextRow', () => {
  it('begins a key with the floor of the partition', () => {
    expect(ROW).toMatchObject({ revision: 5, version: 1, createdAt: 100, requestFloor: 3 });
    expect([...ROW.requests]).toEqual([{ id: 'r', origin: 10, revision: 5, version: 1 }]);
  });

  it('keeps what a deleted key remembers, and begins its versions anew', () => {
    expect(TOMBSTONE).toMatchObject({ value: null, version: 0, createdAt: 100, modifiedAt: 200 });
    const again = nextRow(TOMBSTONE, request({ requestId: 'n', origin: 12 }), {
      ...NEXT,
      revision: 7,
      at: 300,
    });
    expect(again).toMatchObject({ version: 1, createdAt: 300 });
    expect([...again.requests].map(({ id }) => id)).toEqual(['r', 'd', 'n']);
  });

  it('raises the floor to what falls off', () => {
    let row: Row | null = null;
    for (const [index, origin] of [20, 40, 30, 50, 60, 70].entries()) {
      row = nextRow(row, request({ requestId: `r${index}`, origin }), { ...NEXT, revision: index + 1 });
    }
    expect([...(row?.requests ?? [])].map(({ id }) => id)).toEqual(['r2', 'r3', 'r4', 'r5']);
    expect(row?.requestFloor).toBe(40);
  });

  it('lets a row expire without forgetting its requests', () => {
    const gone = expiredRow({ ...ROW, expiresAt: 150 }, { revision: 6, at: 160 });
    expect(gone).toMatchObject({
      value: null,
      revision: 6,
      version: 0,
      expiresAt: null,
      requests: ROW.requests,
    });
  });
});

describe('FailedRequests', () => {
  const answer = { decidedOn: 0, kind: 'absent', revision: 0, version: 0 } as const;
  const refused = (prefix: string, key: string): FailedRequests => {
    const failed = new FailedRequests();
    for (let origin = 0; origin < 1_030; origin += 1)
      failed.remember(`${prefix}${origin}`, { ...answer, key, origin });
    return failed;
  };

  it('is bounded, and what falls off raises the floor of its key', () => {
    const failed = refused('r', 'k');
    expect(failed.get('r5')).toBe(undefined);
    expect(failed.get('r6')).toBeDefined();
    expect(failed.floorOf('r7', 'k')).toBe(5);
  });

  it('keeps keyed requests apart from others', () => {
    expect(refused('r', 'k').floorOf('key:new', 'k')).toBe(0);
    const failed = refused('key:', 'k');
    expect([failed.floorOf('r7', 'k'), failed.floorOf('key:new', 'k')]).toEqual([0, 5]);
  });

  it('raises the floor of hardly any other key', () => {
    const failed = refused('key:', 'k');
    const raised = Array.from({ length: 1_000 }, (_, i) => failed.floorOf('key:new', `other/${i}`));
    expect(raised.filter((floor) => floor > 0).length).toBeLessThan(20);
  });
});

describe('RowCache', () => {
  function cacheOf(bytesMax: number): { cache: RowCache; leader: Leader; replica: Replica } {
    const position = { ballot: 1, revision: 5 };
    const record = {
      partition: 0,
      epoch: 1,
      promised: 1,
      position,
      commitBound: 5,
      purgedTo: 0,
      dedupeFloor: 0,
      generation: 1,
      staging: null,
    };
    const replica = replicaOf(record);
    const cache = new RowCache(bytesMax, ({ row }) => row === null || row.revision <= replica.commit);
    return {
      cache,
      leader: new Leader(1, 1, { adopted: position, beginsAt: position.revision }, 0),
      replica,
    };
  }

  it('lets no storage read bring an older row back', () => {
    const { cache, leader, replica } = cacheOf(1 << 20);
    const entry = cache.addRead(replica, leader, 'k', STORED);
    cache.write(entry, { ...ROW, revision: 6 }, ROW);
    expect(cache.addRead(replica, leader, 'k', STORED).row?.revision).toBe(6);
  });

  it('takes a value that was left out from the next read, and never out of a row that has one', () => {
    const { cache, leader, replica } = cacheOf(1 << 20);
    const bare = { row: { ...ROW, value: new Uint8Array(0) }, isBare: true };
    expect(cache.addRead(replica, leader, 'k', bare)).toMatchObject({ isBare: true });
    expect(cache.addRead(replica, leader, 'k', STORED)).toMatchObject({ row: ROW, isBare: false });
    expect(cache.addRead(replica, leader, 'k', bare)).toMatchObject({ row: ROW, isBare: false });
  });

  it('drops the least recently used, but never what is not committed', () => {
    const { cache, leader, replica } = cacheOf(1_000);
    const entry = cache.addRead(replica, leader, 'inFlight', STORED);
    cache.write(entry, { ...ROW, key: 'inFlight', revision: 9 }, ROW);
    for (let index = 0; index < 20; index += 1) cache.addRead(replica, leader, `k${index}`, null);
    expect(cache.get(leader, 'k0')).toBe(undefined);
    expect(cache.get(leader, 'k19')).toBeDefined();
    expect(cache.get(leader, 'inFlight')?.row?.revision).toBe(9);
    cache.dropAll(leader);
    expect(cache.sizeBytes).toBe(0);
  });
});

describe('more writes than a partition may have in flight', () => {
  it('wait for room, in their order, as many as may be in flight; beyond these they are refused', () => {
    const inFlightRevisionsMax = 20;
    const cluster = started({ ...LIMITS, inFlightRevisionsMax });
    cluster.loses = (_from, { message }) => message.kind === 'accepts';
    const tokens = Array.from({ length: 100 }, (_, i) => put(cluster, `k${i}`, 'v'));
    cluster.run(50);
    const revisions = (): number => cluster.storage(1).records.get(P)?.position.revision ?? 0;
    expect(revisions()).toBeLessThanOrEqual(inFlightRevisionsMax);
    const refused = tokens.filter((token) => cluster.replies.has(token));
    expect(refused).toEqual(tokens.slice(2 * inFlightRevisionsMax));
    for (const token of refused) expect(answer(cluster, token)).toMatchObject({ kind: 'overloaded' });
    cluster.loses = () => false;
    const rest = tokens.slice(0, 2 * inFlightRevisionsMax).map((token) => answer(cluster, token));
    expect(rest.map((reply) => (reply.kind === 'written' ? reply.revision : reply.kind))).toEqual(
      rest.map((_, i) => i + 1),
    );
  });
});
