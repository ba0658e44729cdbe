import { describe, expect, it } from '@jest/globals';
import { ByteWriter, OperationalError } from '@ringleader/contracts';
import type { PartitionRecord } from '@ringleader/paxos';
import { decodeRecords, encodeRecords } from './record-codec.js';

const plain: PartitionRecord = {
  partition: 16_383,
  epoch: 2 ** 40,
  promised: Number.MAX_SAFE_INTEGER,
  position: { ballot: 2 ** 45 + 3, revision: 2 ** 44 },
  commitBound: 12,
  purgedTo: 3,
  dedupeFloor: 2 ** 52 + 1,
  generation: 4,
  staging: null,
};
const staging = {
  copyId: 5,
  generation: 5,
  ballot: 65_537,
  base: 1,
  nextBase: 2,
  purgedTo: 0,
  dedupeFloor: 2 ** 52,
  nextKey: 'ключ',
  pass: 3,
};
const copying: PartitionRecord = { ...plain, partition: 0, staging };
const copied: PartitionRecord = { ...plain, partition: 1, staging: { ...staging, nextKey: null } };

/** `copying` and `plain`, as version 1 wrote them. */
const VERSION_1 =
  '010200808080808020ffffffffffffff0f83808080808008808080808080040c03818080808080800804010505818004010200010800d0bad0bbd18ed18703ff7f808080808020ffffffffffffff0f83808080808008808080808080040c0381808080808080080400';

describe('the record codec', () => {
  it('gives back every record', () => {
    const bytes = encodeRecords(new ByteWriter(), [plain, copying, copied]);
    expect(decodeRecords(bytes)).toEqual([plain, copying, copied]);
    // Databases hold this form.
    expect(bytes.toString('hex')).toBe(
      '0203ff7f808080808020ffffffffffffff0f83808080808008808080808080040c038180808080808008040000808080808020ffffffffffffff0f83808080808008808080808080040c038180808080808008040105058180040102008080808080808008010800d0bad0bbd18ed1870301808080808020ffffffffffffff0f83808080808008808080808080040c0381808080808080080401050581800401020080808080808080080003',
    );
  });

  it('reads records of the version before, but has a copy begun then begin anew: it did not keep all floors', () => {
    const records = decodeRecords(Buffer.from(VERSION_1, 'hex'));
    expect(records).toEqual([{ ...copying, staging: null }, plain]);
  });

  it('refuses damage and other versions with an operational error', () => {
    const bytes = encodeRecords(new ByteWriter(), [plain, copying]);
    expect(() => decodeRecords(bytes.subarray(0, -3))).toThrow(OperationalError);
    const other = Buffer.from(bytes);
    other[0] = 9;
    expect(() => decodeRecords(other)).toThrow('version 9');
  });
});
