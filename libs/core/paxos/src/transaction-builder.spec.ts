import { describe, expect, it } from '@jest/globals';
import { replicaOf } from '../test/replicas.js';
import { InvariantError } from '@ringleader/primitives';
import type { PartitionRecord, Row } from './records.js';
import { TransactionBuilder } from './transaction-builder.js';

const RECORD: PartitionRecord = {
  partition: 4,
  epoch: 1,
  promised: 0,
  position: { ballot: 0, revision: 0 },
  commitBound: 0,
  purgedTo: 0,
  dedupeFloor: 0,
  generation: 1,
  staging: null,
};

function row(key: string, revision: number): Row {
  return {
    key,
    value: new Uint8Array(),
    contentType: '',
    revision,
    version: 1,
    createdAt: 0,
    modifiedAt: 0,
    expiresAt: null,
    requests: [],
    requestFloor: 0,
  };
}

describe('TransactionBuilder', () => {
  it('gathers, while one runs, one record per partition and one change per key', () => {
    const builder = new TransactionBuilder();
    const replica = replicaOf(RECORD);
    const done: string[] = [];
    builder.setRecord(replica, { ...RECORD, promised: 1 });
    builder.whenDurable(replica, () => done.push('first'));
    expect(builder.handOut()).toMatchObject({ id: 1, records: [{ promised: 1 }] });
    for (const revision of [1, 2]) {
      builder.setRecord(replica, { ...RECORD, promised: 2, position: { ballot: 2, revision } });
      builder.upsert(replica, 1, row('k', revision));
    }
    builder.remove(replica, 1, 'gone');
    builder.upsert(replica, 9, row('staged', 1));
    builder.whenDurable(replica, () => done.push('second'));
    expect(builder.handOut()).toBe(null);
    builder.durable(1);
    expect(done).toEqual(['first']);
    expect(replica.durable.promised).toBe(1);
    expect(builder.handOut()).toMatchObject({
      id: 2,
      records: [{ position: { ballot: 2, revision: 2 } }],
      upserts: [
        { generation: 1, row: { key: 'k', revision: 2 } },
        { generation: 9, row: { key: 'staged' } },
      ],
      removals: [{ generation: 1, key: 'gone' }],
    });
    builder.durable(2);
    expect(done).toEqual(['first', 'second']);
    expect(builder.handOut()).toBe(null);
  });

  it('purges a tombstone of that revision only, and nothing that was written since', () => {
    const builder = new TransactionBuilder();
    const replica = replicaOf(RECORD);
    const purge = (key: string): void => builder.purge(replica, { key, revision: 5, floor: 0 });
    builder.upsert(replica, 1, { ...row('gathered', 5), value: null });
    builder.upsert(replica, 1, row('newer', 6));
    for (const key of ['stored', 'gathered', 'newer', 'later']) purge(key);
    builder.upsert(replica, 1, row('later', 7));
    builder.setRecord(replica, { ...RECORD, promised: 1 });
    expect(builder.handOut()).toMatchObject({
      upserts: [{ row: { key: 'newer' } }, { row: { key: 'later' } }],
      removals: [
        { generation: 1, key: 'stored', revision: 5 },
        { generation: 1, key: 'gathered', revision: null },
      ],
    });
  });

  it('lets what is durable already be told at once', () => {
    const builder = new TransactionBuilder();
    const [replica, other] = [replicaOf(RECORD), replicaOf({ ...RECORD, partition: 5 })];
    builder.setRecord(other, { ...RECORD, partition: 5, promised: 1 });
    builder.handOut();
    let told = 0;
    builder.whenDurable(replica, () => (told += 1));
    expect(told).toBe(1);
    builder.whenDurable(other, () => (told += 1));
    expect(told).toBe(1);
  });

  it('ends the process where a record breaks the order of its fields', () => {
    const builder = new TransactionBuilder();
    const replica = replicaOf(RECORD);
    expect(() => {
      builder.setRecord(replica, { ...RECORD, commitBound: 1 });
    }).toThrow(InvariantError);
    expect(() => {
      builder.durable(1);
    }).toThrow(InvariantError);
  });
});
