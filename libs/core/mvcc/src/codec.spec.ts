import { describe, expect, it } from '@jest/globals';
import { MalformedBytesError } from '@ringleader/primitives';
import { decodeCommand, encodeCommand } from './command-codec.js';
import type { Command } from './commands.js';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.js';
import { MvccStore } from './store.js';

const COMMANDS: Command[] = [
  { kind: 'leaseGrant', ttlMs: 5_000 },
  { kind: 'leaseRevoke', lease: 2 ** 52 },
  { kind: 'leaseExpire', leases: [1, 2, 300], term: 9 },
  { kind: 'compact', revision: 0 },
  {
    kind: 'txn',
    compare: [
      { key: 'é', target: 'value', result: 'notEqual', operand: '\u{1f600}' },
      { key: 'k', target: 'modRevision', result: 'less', operand: 128 },
    ],
    success: [
      { kind: 'put', key: 'k', value: '', lease: 3 },
      { kind: 'delete', key: 'k', rangeEnd: '' },
      { kind: 'range', key: '', rangeEnd: null, limit: 10 },
    ],
    failure: [],
  },
];

/** The bytes of these. */
const RECORDED = [
  '01018827',
  '01028080808080808008',
  '010309030102ac02',
  '010400',
  '01000202c3a9010404f09f9880016b030280010300016b000301016b01000200000a00',
];

describe('command codec', () => {
  it.each(COMMANDS.map((command) => [command.kind, command] as const))('gives %s back', (_, command) => {
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
  });

  it('has a form that does not change: logs on disk are in it', () => {
    expect(COMMANDS.map((command) => Buffer.from(encodeCommand(command)).toString('hex'))).toEqual(RECORDED);
    const command: Command = {
      kind: 'txn',
      compare: [{ key: 'k', target: 'version', result: 'equal', operand: 0 }],
      success: [{ kind: 'put', key: 'k', value: 'é', lease: 300 }],
      failure: [{ kind: 'range', key: 'k', rangeEnd: 'l', limit: 1 }],
    };
    expect(Buffer.from(encodeCommand(command)).toString('hex')).toBe(
      '010001016b0000000100016b02c3a9ac020102016b01016c01',
    );
  });

  it('refuses every truncation and every other version', () => {
    for (const command of COMMANDS) {
      const bytes = encodeCommand(command);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decodeCommand(bytes.subarray(0, length))).toThrow(MalformedBytesError);
      }
      expect(() => decodeCommand(Uint8Array.of(...bytes, 0))).toThrow('bytes after the end');
      expect(() => decodeCommand(Uint8Array.of(2, ...bytes.subarray(1)))).toThrow(
        'command version 2 is not known',
      );
    }
  });

  it.each([
    ['an unknown kind', [1, 99]],
    ['a string that is not UTF-8', [1, 0, 0, 1, 0, 1, 0xff, 0, 0, 0]],
    ['a list longer than the bytes', [1, 0, 0xff, 0xff, 0x7f]],
    ['an integer above 2^53', [1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeCommand(Uint8Array.from(bytes))).toThrow(MalformedBytesError);
  });
});

describe('snapshot codec', () => {
  const build = (): MvccStore => {
    const store = new MvccStore();
    store.apply({ kind: 'leaseGrant', ttlMs: 1_000 }, 1);
    for (const value of ['1', '2', '3']) {
      store.apply(
        {
          kind: 'txn',
          compare: [],
          success: [
            { kind: 'put', key: 'b', value, lease: 1 },
            { kind: 'put', key: 'a', value, lease: 0 },
          ],
          failure: [],
        },
        1,
      );
    }
    store.apply({ kind: 'compact', revision: 1 }, 1);
    return store;
  };

  it('gives the whole store back, byte for byte', () => {
    const snapshot = encodeSnapshot(build());
    // Snapshots on disk have this form.
    expect(Buffer.from(snapshot).toString('hex')).toBe(
      '010301010101e80702016103010101013100020201013200030301013300016203010101013101020201013201030301013301',
    );
    const restored = decodeSnapshot(snapshot);
    expect(encodeSnapshot(restored)).toEqual(snapshot);
    expect(restored).toMatchObject({ revision: 3, compactedRevision: 1, leaseCount: 1 });
    expect(restored.apply({ kind: 'leaseRevoke', lease: 1 }, 1)).toMatchObject({ revision: 4 });
    expect(restored.apply({ kind: 'leaseGrant', ttlMs: 1 }, 1)).toMatchObject({ lease: 2 });
  });

  it('refuses every truncation and every other version', () => {
    const snapshot = encodeSnapshot(build());
    for (let length = 0; length < snapshot.length; length++) {
      expect(() => decodeSnapshot(snapshot.subarray(0, length))).toThrow(MalformedBytesError);
    }
    expect(() => decodeSnapshot(Uint8Array.of(9, ...snapshot.subarray(1)))).toThrow('snapshot version 9');
  });
});
