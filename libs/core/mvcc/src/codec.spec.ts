import { describe, expect, it } from '@jest/globals';
import { MalformedBytesError } from '@ringleader/primitives';
import { decodeCommand, encodeCommand } from './command-codec.js';
import { type Command, NESTING_DEPTH_MAX, type NestedTxn, type Operation, plainRead } from './commands.js';
import { SnapshotReader, snapshotOf, storeOf } from './snapshot-codec.js';
import { MvccStore } from './store.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const put = { kind: 'put', lease: 0, wantsPrevious: false } as const;

const COMMANDS: Command[] = [
  { kind: 'leaseGrant', ttlMs: 5_000, wanted: 7 },
  { kind: 'leaseExpire', leases: [1, 2, 300], term: 9, asOf: 4 },
  { kind: 'limitSize', sizeBytesMax: 300, exemptPrefix: '/r' },
  {
    kind: 'txn',
    compare: [
      { key: 'é', rangeEnd: null, target: 'value', result: 'notEqual', operand: Uint8Array.of(0xff, 0) },
      { key: 'k', rangeEnd: 'l', target: 'modRevision', result: 'less', operand: 128 },
    ],
    success: [
      { kind: 'put', key: 'k', value: bytes('v'), lease: 3, wantsPrevious: true },
      { kind: 'put', key: 'l', value: null, lease: null, wantsPrevious: false },
      { kind: 'delete', key: 'm', rangeEnd: '', wantsPrevious: true },
      { kind: 'range', ...plainRead, key: '', rangeEnd: null, limit: 10 },
    ],
    failure: [
      {
        kind: 'txn',
        compare: [],
        success: [
          {
            ...{ kind: 'range', key: 'a', rangeEnd: 'b', limit: 1, revision: 2, sortBy: 'value' },
            ...{ isDescending: true, keysOnly: true, countOnly: true },
            ...{ minModRevision: 3, maxModRevision: 4, minCreateRevision: 5, maxCreateRevision: 6 },
          },
        ],
        failure: [],
      },
    ],
  },
];

/** The bytes of these. */
const RECORDED = [
  '0201882707',
  '020309030102ac0204',
  '0205ac02022f72',
  '02000202c3a900010402ff00016b01016c030280010400016b01017601030100016c00000001016d0100010200000a000000000000000000010300010201610101620102040101010304050600',
];

/** Commands of version 1, as logs of release 0.1.0 have them, and what they say today. */
const OLD: [string, Command][] = [
  ['01018827', { kind: 'leaseGrant', ttlMs: 5_000, wanted: 0 }],
  ['01028080808080808008', { kind: 'leaseRevoke', lease: 2 ** 52 }],
  ['010309030102ac02', { kind: 'leaseExpire', leases: [1, 2, 300], term: 9, asOf: 0 }],
  ['010400', { kind: 'compact', revision: 0 }],
  [
    '01000202c3a9010404f09f9880016b030280010300016b000301016b01000200000a00',
    {
      kind: 'txn',
      compare: [
        { key: 'é', rangeEnd: null, target: 'value', result: 'notEqual', operand: bytes('\u{1f600}') },
        { key: 'k', rangeEnd: null, target: 'modRevision', result: 'less', operand: 128 },
      ],
      success: [
        { ...put, key: 'k', value: bytes(''), lease: 3 },
        { kind: 'delete', key: 'k', rangeEnd: '', wantsPrevious: false },
        { kind: 'range', ...plainRead, key: '', rangeEnd: null, limit: 10 },
      ],
      failure: [],
    },
  ],
];

function nestedBelow(depth: number): NestedTxn {
  const success = depth === 0 ? [] : [nestedBelow(depth - 1)];
  return { kind: 'txn', compare: [], success, failure: [] };
}

describe('command codec', () => {
  it.each(COMMANDS.map((command) => [command.kind, command] as const))('gives %s back', (_, command) => {
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
  });

  it('has a form that does not change: logs on disk are in it', () => {
    expect(COMMANDS.map((command) => hex(encodeCommand(command)))).toEqual(RECORDED);
  });

  it.each(OLD)('still reads version 1, and writes what it can say: %s', (recorded, command) => {
    expect(decodeCommand(Buffer.from(recorded, 'hex'))).toEqual(command);
    expect(hex(encodeCommand(command))).toBe(recorded);
  });

  it.each<[string, Operation]>([
    ['a value that is no text', { ...put, key: 'k', value: Uint8Array.of(0xff) }],
    ['a value that is kept', { ...put, key: 'k', value: null }],
    ['a lease that is kept', { ...put, key: 'k', value: bytes(''), lease: null }],
    ['a previous value', { ...put, key: 'k', value: bytes(''), wantsPrevious: true }],
    ['previous values', { kind: 'delete', key: 'k', rangeEnd: null, wantsPrevious: true }],
    ['a read of the past', { kind: 'range', ...plainRead, key: 'k', rangeEnd: null, revision: 1 }],
    ['a nested transaction', { kind: 'txn', compare: [], success: [], failure: [] }],
  ])('says only in version 2: %s', (_, operation) => {
    for (const [success, failure] of [
      [[operation], []],
      [[], [operation]],
    ]) {
      const command: Command = { kind: 'txn', compare: [], success: success ?? [], failure: failure ?? [] };
      expect(encodeCommand(command)[0]).toBe(2);
      expect(decodeCommand(encodeCommand(command))).toEqual(command);
    }
  });

  it('refuses every truncation and every other version', () => {
    const all = [...COMMANDS.map(encodeCommand), ...OLD.map(([recorded]) => Buffer.from(recorded, 'hex'))];
    for (const encoded of all) {
      for (let length = 0; length < encoded.length; length++) {
        expect(() => decodeCommand(encoded.subarray(0, length))).toThrow(MalformedBytesError);
      }
      expect(() => decodeCommand(Uint8Array.of(...encoded, 0))).toThrow('bytes after the end');
      expect(() => decodeCommand(Uint8Array.of(3, ...encoded.subarray(1)))).toThrow(
        'command version 3 is not known',
      );
    }
  });

  it('nests as deep as is allowed, and no deeper', () => {
    const deepest = nestedBelow(NESTING_DEPTH_MAX);
    expect(decodeCommand(encodeCommand(deepest))).toEqual(deepest);
    expect(() => encodeCommand(nestedBelow(NESTING_DEPTH_MAX + 1))).toThrow('an operation');
    const tooDeep = [
      2,
      0,
      0,
      ...Array<number[]>(NESTING_DEPTH_MAX + 1)
        .fill([1, 3, 0])
        .flat(),
    ];
    expect(() => decodeCommand(Uint8Array.from(tooDeep))).toThrow('unknown code of an operation');
  });

  it.each([
    ['an unknown kind', [2, 99]],
    ['a key that is not UTF-8', [2, 0, 0, 1, 0, 1, 0xff, 0, 0, 0]],
    ['a list longer than the bytes', [2, 0, 0xff, 0xff, 0x7f]],
    ['an integer above 2^53', [2, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('refuses %s', (_, malformed) => {
    expect(() => decodeCommand(Uint8Array.from(malformed))).toThrow(MalformedBytesError);
  });
});

describe('snapshot codec', () => {
  const build = (): MvccStore => {
    const store = new MvccStore();
    store.apply({ kind: 'leaseGrant', ttlMs: 1_000, wanted: 0 }, 1);
    for (const value of ['1', '2', '3'].map(bytes)) {
      const success = [
        { ...put, key: 'b', value, lease: 1 },
        { ...put, key: 'a', value },
      ];
      store.apply({ kind: 'txn', compare: [], success, failure: [] }, 1);
    }
    store.apply({ kind: 'compact', revision: 1 }, 1);
    store.apply({ kind: 'limitSize', sizeBytesMax: 10_000, exemptPrefix: 'z/' }, 1);
    return store;
  };
  const encoded = (store: MvccStore): Buffer => Buffer.concat([...snapshotOf(store)]);
  const expectWhole = (restored: MvccStore): void => {
    expect(restored).toMatchObject({ revision: 3, compactedRevision: 1, leaseCount: 1 });
    expect(restored.hash()).toEqual(build().hash());
    expect(restored.sizeBytes).toBe(build().sizeBytes);
    expect(restored.leaseKeys(1)).toEqual(['b']);
    expect(restored.apply({ kind: 'leaseRevoke', lease: 1 }, 1)).toMatchObject({ revision: 4 });
    expect(restored.apply({ kind: 'leaseGrant', ttlMs: 1, wanted: 0 }, 1)).toMatchObject({ lease: 2 });
  };

  it('gives the whole store back, byte for byte, however the bytes are cut', () => {
    const snapshot = encoded(build());
    // Snapshots on disk have this form.
    expect(hex(snapshot)).toBe(
      '020f000000000301010101e807904e027a2f00002b000000010161030101010131000202010132000303010133000162030101010131010202010132010303010133011300000002021066653334393431613935356163343466',
    );
    for (const size of [1, 3, 5, 64, snapshot.length]) {
      const reader = new SnapshotReader();
      for (let at = 0; at < snapshot.length; at += size) reader.push(snapshot.subarray(at, at + size));
      const restored = reader.finish();
      expect(encoded(restored)).toEqual(snapshot);
      expectWhole(restored);
    }
  });

  it('still reads version 1, that of release 0.1.0', () => {
    const old = Buffer.from(
      '010301010101e80702016103010101013100020201013201030301013300016203010101013101020201013201030301013301',
      'hex',
    );
    expectWhole(storeOf([old]));
    expectWhole(storeOf([old.subarray(0, 9), old.subarray(9)]));
    for (let length = 0; length < old.length; length++) {
      expect(() => storeOf([old.subarray(0, length)])).toThrow(MalformedBytesError);
    }
  });

  it('cuts what is large, a single history too', () => {
    const store = new MvccStore();
    for (let i = 0; i < 8; i++) {
      const success = [{ ...put, key: 'hot', value: new Uint8Array(100_000).fill(i) }];
      store.apply({ kind: 'txn', compare: [], success, failure: [] }, 1);
    }
    const chunks = [...snapshotOf(store)];
    expect(chunks.length).toBeGreaterThan(4);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(1_048_576);
    const restored = storeOf(chunks);
    expect(restored.hash(7)).toEqual(store.hash(7));
    expect(encoded(restored).equals(Buffer.concat(chunks))).toBe(true);
  });

  it('refuses every truncation, every other version, and every changed byte that could go unseen', () => {
    const snapshot = encoded(build());
    for (let length = 0; length < snapshot.length; length++) {
      expect(() => storeOf([snapshot.subarray(0, length)])).toThrow(MalformedBytesError);
    }
    expect(() => storeOf([snapshot, Uint8Array.of(0)])).toThrow(MalformedBytesError);
    expect(() => storeOf([Uint8Array.of(9, ...snapshot.subarray(1))])).toThrow('snapshot version 9');
    const value = snapshot.indexOf('013301', 0, 'hex') + 1;
    const changed = Buffer.from(snapshot);
    changed[value] = 0x34;
    expect(() => storeOf([changed])).toThrow('does not have the hash');
  });
});
