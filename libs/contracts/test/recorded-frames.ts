/** One item of every kind of the data path with its bytes; a kind without a record does not compile. */
import type { Row, ShardMessage, ShardReply } from '@ringleader/paxos';
import type { FramedRequest } from '../src/data-path/request-frame.js';

type Recorded<T extends { readonly kind: string }> = {
  readonly [K in T['kind']]: readonly [Extract<T, { readonly kind: K }>, hex: string];
};

const header = { partition: 16_383, epoch: 2, ballot: 2 ** 33 };
const position = { ballot: 65_537, revision: 300 };
const state = { position, commit: 299, purgedTo: 7 };
const stamp = { sentAt: 1234.5 };
const echo = { incarnation: 9, span: 130, sentAt: 1234.5 };
const hybridTime = 2 ** 50 + 1;
const visible = {
  key: 'ключ',
  value: Buffer.from('value'),
  contentType: 'application/json',
  revision: 300,
  version: 2,
  createdAt: hybridTime,
  modifiedAt: hybridTime + 1,
  expiresAt: hybridTime + 2,
  requests: [],
  requestFloor: 0,
} satisfies Row;
const row: Row = {
  ...visible,
  requests: [{ id: 'request-1', origin: hybridTime, revision: 300, version: 2 }],
  requestFloor: hybridTime - 5,
};
const tombstone: Row = { ...visible, key: 'gone', value: null, contentType: 'image/x', expiresAt: null };
const rows = [row, tombstone];

export const recordedMessages: Recorded<ShardMessage> = {
  prepare: [{ kind: 'prepare', ...header }, '01ff7f028080808020'],
  promised: [{ kind: 'promised', ...header, ...state }, '02ff7f028080808020818004ac02ab0207'],
  prepareRefused: [
    { kind: 'prepareRefused', ...header, promised: 2 ** 34, retryInMs: 12.25 },
    '03ff7f02808080802080808080400000000000802840',
  ],
  superseded: [{ kind: 'superseded', ...header, promised: 2 ** 34 }, '04ff7f0280808080208080808040'],
  confirm: [{ kind: 'confirm', ...header, round: 5, lease: stamp }, '05ff7f0280808080200500000000004a9340'],
  confirmed: [
    { kind: 'confirmed', ...header, round: 5, lease: echo },
    '06ff7f0280808080200509820100000000004a9340',
  ],
  released: [{ kind: 'released', ...header }, '07ff7f028080808020'],
  releaseSeen: [{ kind: 'releaseSeen', ...header }, '08ff7f028080808020'],
  stand: [{ kind: 'stand', ...header }, '09ff7f028080808020'],
  heartbeat: [{ kind: 'heartbeat', incarnation: 9, lease: stamp }, '0a0900000000004a9340'],
  heartbeatSeen: [
    { kind: 'heartbeatSeen', holder: 8, lease: echo, pointsHeard: 4 },
    '0b0809820100000000004a934004',
  ],
  commitPoints: [
    {
      kind: 'commitPoints',
      incarnation: 9,
      after: 4,
      upTo: 6,
      points: [
        { ...header, commit: 299, fresh: true },
        { ...header, partition: 0, commit: 0, fresh: false },
      ],
      stamp: { echo: 77.5, echoIncarnation: 8 },
    },
    '0c09040602ff7f028080808020ab020100028080808020000001000000000060534008',
  ],
  accepts: [
    {
      kind: 'accepts',
      incarnation: 9,
      number: 1_000,
      lease: stamp,
      batches: [
        { ...header, previous: position, next: { ballot: header.ballot, revision: 301 }, commit: 299, rows },
        {
          ...header,
          previous: { ballot: header.ballot, revision: 301 },
          next: { ballot: header.ballot, revision: 302 },
          commit: 300,
          rows: [],
        },
      ],
    },
    '2809e80700000000004a934002ff7f02808080802001818004ac02ad02ab02020800d0bad0bbd18ed187010576616c756503ac020204000000000010430800000000001043010c00000000001043010900726571756573742d310400000000001043ac0202e0ffffffffff0f430400676f6e6500000700696d6167652f78ac02020400000000001043080000000000104300000000000000000000ff7f02808080802000ad02ae02ac0200',
  ],
  acceptsSeen: [
    { kind: 'acceptsSeen', holder: 8, number: 1_000, lease: echo, except: [1, 16_383] },
    '2908e80709820100000000004a93400201ff7f',
  ],
  accepted: [
    { kind: 'accepted', ...header, revision: 302, lease: echo },
    '21ff7f028080808020ae0209820100000000004a9340',
  ],
  gap: [{ kind: 'gap', ...header, ...state }, '22ff7f028080808020818004ac02ab0207'],
  repairOffer: [{ kind: 'repairOffer', ...header, commit: 299, purgedTo: 7 }, '24ff7f028080808020ab0207'],
  deltaRequest: [
    { kind: 'deltaRequest', ...header, position, base: 280, keys: ['a', 'ключ'] },
    '25ff7f028080808020818004ac029802020100610800d0bad0bbd18ed187',
  ],
  delta: [
    {
      kind: 'delta',
      ...header,
      from: position,
      to: { ballot: header.ballot, revision: 302 },
      rows,
      absent: ['b'],
      purgedTo: 7,
      dedupeFloor: hybridTime,
      commit: 299,
    },
    '26ff7f028080808020818004ac028080808020ae02020800d0bad0bbd18ed187010576616c756503ac020204000000000010430800000000001043010c00000000001043010900726571756573742d310400000000001043ac0202e0ffffffffff0f430400676f6e6500000700696d6167652f78ac0202040000000000104308000000000010430000000000000000000001010062070400000000001043ab02',
  ],
  copyRequired: [{ kind: 'copyRequired', ...header, commit: 299, purgedTo: 7 }, '40ff7f028080808020ab0207'],
  pageRequest: [
    { kind: 'pageRequest', ...header, copyId: 11, pass: 1, base: 0, start: 'a', keys: ['ключ'] },
    '41ff7f0280808080200b0100010061010800d0bad0bbd18ed187',
  ],
  page: [
    {
      kind: 'page',
      ...header,
      copyId: 11,
      pass: 1,
      start: 'a',
      nextKey: 'z',
      rows,
      absent: ['b'],
      commit: 299,
      purgedTo: 7,
      dedupeFloor: hybridTime,
    },
    '42ff7f0280808080200b010100610101007a020800d0bad0bbd18ed187010576616c756503ac020204000000000010430800000000001043010c00000000001043010900726571756573742d310400000000001043ac0202e0ffffffffff0f430400676f6e6500000700696d6167652f78ac0202040000000000104308000000000010430000000000000000000001010062ab02070400000000001043',
  ],
  verify: [
    {
      ...{ kind: 'verify', ...header, round: 5, start: 'a', end: 'ключ', upTo: 299, purgedTo: 7 },
      wantsRows: true,
    },
    '60ff7f02808080802005010061010800d0bad0bbd18ed187ab020701',
  ],
  verified: [
    {
      ...{
        kind: 'verified',
        ...header,
        round: 5,
        revision: 300,
        purgedTo: 7,
        end: null,
        digest: '1:2:3:4:5',
      },
      rows: [
        { key: 'ключ', revision: 300, live: true, digest: '00112233445566778899aabbccddeeff' },
        { key: 'gone', revision: 8, live: false, digest: 'ffeeddccbbaa99887766554433221100' },
      ],
    },
    '61ff7f02808080802005ac0207000900313a323a333a343a35020800d0bad0bbd18ed187ac0201200030303131323233333434353536363737383839396161626263636464656566660400676f6e65080020006666656564646363626261613939383837373636353534343333323231313030',
  ],
  rowWanted: [
    { kind: 'rowWanted', ...header, round: 6, key: 'ключ' },
    '62ff7f028080808020060800d0bad0bbd18ed187',
  ],
  rowTold: [
    { kind: 'rowTold', ...header, round: 6, digest: '00112233445566778899aabbccddeeff', rows: [row] },
    '63ff7f028080808020060120003030313132323333343435353636373738383939616162626363646465656666010800d0bad0bbd18ed187010576616c756503ac020204000000000010430800000000001043010c00000000001043010900726571756573742d310400000000001043ac0202e0ffffffffff0f43',
  ],
  mend: [
    { kind: 'mend', ...header, round: 7, key: 'gone', found: null, rows: [tombstone] },
    '64ff7f028080808020070400676f6e6500010400676f6e6500000700696d6167652f78ac02020400000000001043080000000000104300000000000000000000',
  ],
  mended: [{ kind: 'mended', ...header, round: 7, done: true }, '65ff7f0280808080200701'],
  finishRequest: [
    { kind: 'finishRequest', ...header, copyId: 11, base: 280, keys: ['a'] },
    '43ff7f0280808080200b980201010061',
  ],
  remembered: [
    {
      kind: 'remembered',
      ...header,
      revision: 300,
      floor: hybridTime,
      marks: [{ id: 'key:a', origin: hybridTime + 1, revision: 299, version: 2 }],
    },
    '45ff7f028080808020ac0204000000000010430105006b65793a610800000000001043ab0202',
  ],
  finish: [
    {
      kind: 'finish',
      ...header,
      copyId: 11,
      base: 280,
      to: position,
      rows,
      absent: [],
      purgedTo: 7,
      dedupeFloor: hybridTime,
      commit: 299,
    },
    '44ff7f0280808080200b9802818004ac02020800d0bad0bbd18ed187010576616c756503ac020204000000000010430800000000001043010c00000000001043010900726571756573742d310400000000001043ac0202e0ffffffffff0f430400676f6e6500000700696d6167652f78ac0202040000000000104308000000000010430000000000000000000000070400000000001043ab02',
  ],
};

const asked = { token: 500, remainingMs: 1_500 };
const write = { kind: 'write', ...asked, ...header, requestId: 'request-1', origin: hybridTime } as const;

export const recordedRequests: (readonly [FramedRequest, hex: string])[] = [
  [
    {
      ...write,
      operation: {
        kind: 'put',
        key: 'ключ',
        value: Buffer.from('value'),
        contentType: 'text/plain',
        expiresAt: hybridTime,
        conditions: [{ kind: 'ifRevision', revision: 300 }, { kind: 'ifAbsent' }],
      },
    },
    '01f403dc0bff7f0280808080200900726571756573742d3104000000000010430800d0bad0bbd18ed1870201ac02030576616c756504010400000000001043',
  ],
  [
    {
      ...write,
      operation: {
        kind: 'delete',
        key: 'a',
        conditions: [{ kind: 'ifVersion', version: 2 }, { kind: 'ifPresent' }],
      },
    },
    '02f403dc0bff7f0280808080200900726571756573742d31040000000000104301006102020204',
  ],
  [
    {
      kind: 'read',
      ...asked,
      partition: 3,
      epoch: 2,
      key: 'ключ',
      consistency: { kind: 'stale', maxStalenessMs: 250 },
    },
    '03f403dc0b03020800d0bad0bbd18ed1870101fa01',
  ],
  [
    {
      kind: 'scan',
      ...asked,
      partitions: [0, 16_383],
      range: { start: 'a', end: null },
      reverse: true,
      keysOnly: false,
      limitRows: 100,
      limitBytes: 2 ** 20,
      consistency: { kind: 'linearizable' },
    },
    '04f403dc0b0200ff7f0100610001006480804000',
  ],
];

export const recordedReplies: Recorded<ShardReply> = {
  written: [
    {
      kind: 'written',
      token: 500,
      revision: 300,
      version: 2,
      created: true,
      createdAt: hybridTime,
      modifiedAt: hybridTime + 1,
    },
    '01f403ac02020104000000000010430800000000001043',
  ],
  absent: [{ kind: 'absent', token: 500 }, '02f403'],
  conditionFailed: [{ kind: 'conditionFailed', token: 500, revision: 300, version: 2 }, '03f403ac0202'],
  row: [
    { kind: 'row', token: 500, row: visible, stalenessMs: 12.5 },
    '04f403010800d0bad0bbd18ed187010576616c756503ac020204000000000010430800000000001043010c00000000001043010000000000002940',
  ],
  rows: [
    { kind: 'rows', token: 500, rows: [visible, { ...visible, key: 'b' }], more: true, notLed: [5, 300] },
    '05f403020800d0bad0bbd18ed187010576616c756503ac020204000000000010430800000000001043010c00000000001043010062010576616c756503ac020204000000000010430800000000001043010c00000000001043010205ac02',
  ],
  notLeader: [
    { kind: 'notLeader', token: 500, ballot: 2 ** 33, leader: 2, epoch: 2 },
    '06f40380808080200202',
  ],
  tooStale: [{ kind: 'tooStale', token: 500 }, '07f403'],
  overloaded: [{ kind: 'overloaded', token: 500 }, '08f403'],
  outcomeUnknown: [{ kind: 'outcomeUnknown', token: 500 }, '09f403'],
};
