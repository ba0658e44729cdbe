import { describe, expect, it } from '@jest/globals';
import { decodeBatch, encodeBatch, type StoredBatch } from './batch-codec.js';
import { readRecord } from './record.js';

const batch: StoredBatch = {
  hardState: { term: 2 ** 40, vote: 2 ** 53 - 1, commit: 6 },
  entries: [
    { index: 7, term: 3, kind: 0, data: new Uint8Array() },
    { index: 8, term: 2 ** 40, kind: 1, data: Uint8Array.of(1, 2, 3) },
  ],
  base: { index: 0, term: 0 },
};

/** As it has stood on disks since the first version. */
const recorded =
  '31624c525b000000050000000000000094257887402150250000000000010000ffffffffffff1f00060000000000000000000000000000000000000000000000070000000000000002000000000000000300000000000000000000000000000000000000000100000100000003000000010203524c623100';

describe('the codec of batches', () => {
  it('writes and reads the bytes that are recorded', () => {
    expect(encodeBatch(batch, 5).toString('hex')).toBe(recorded);
    const record = readRecord(Buffer.from(recorded, 'hex'), 0);
    if (record.kind !== 'record') throw new Error(record.reason);
    expect(decodeBatch(record.payload)).toEqual(batch);
    expect(record.sequence).toBe(5);
  });

  it('takes nothing shorter or longer for a batch', () => {
    const record = readRecord(encodeBatch(batch, 1), 0);
    if (record.kind !== 'record') throw new Error(record.reason);
    for (let length = 0; length < record.payload.length; length += 1) {
      expect(decodeBatch(record.payload.subarray(0, length))).toBeNull();
    }
    expect(decodeBatch(Buffer.concat([record.payload, Buffer.alloc(1)]))).toBeNull();
  });
});
