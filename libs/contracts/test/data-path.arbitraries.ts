/** Generators of every kind of item of the data path. The mapped types make a missing kind a compile error. */
import type {
  Condition,
  Position,
  ReadRequest,
  RequestMark,
  Row,
  ShardMessage,
  ShardReply,
} from '@ringleader/paxos';
import fc from 'fast-check';

import type { FramedRequest } from '../src/data-path/request-frame.js';

const integer = fc.oneof(fc.nat(300), fc.maxSafeNat());
const instant = integer;
const float = fc.oneof(
  integer,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
);
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ maxLength: 400 }));
const bytes = fc.uint8Array({ maxLength: 300 }).map((array): Uint8Array => Buffer.from(array));
const contentType = fc.oneof(fc.constantFrom('', 'application/json', 'application/octet-stream'), text);

function optional<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

const position: fc.Arbitrary<Position> = fc.record({ ballot: integer, revision: integer });
const mark: fc.Arbitrary<RequestMark> = fc.record({
  id: fc.oneof(
    text,
    text.map((id) => `key:${id}`),
  ),
  origin: instant,
  revision: integer,
  version: integer,
});

export const rowArbitrary: fc.Arbitrary<Row> = fc.record({
  key: text,
  value: optional(bytes),
  contentType,
  revision: integer,
  version: integer,
  createdAt: instant,
  modifiedAt: instant,
  expiresAt: optional(instant),
  requests: fc.array(mark, { maxLength: 4 }),
  requestFloor: instant,
});

const visibleRow = rowArbitrary.map((row): Row => ({ ...row, requests: [], requestFloor: 0 }));

const rows = fc.array(rowArbitrary, { maxLength: 5 });
const texts = fc.array(text, { maxLength: 5 });
const header = { partition: integer, epoch: integer, ballot: integer };
const asked = { ...header, round: integer };
const state = { position, commit: integer, purgedTo: integer };
const stamp = fc.record({ sentAt: float });
const echo = fc.record({ incarnation: integer, span: integer, sentAt: float });

const messages: {
  readonly [K in ShardMessage['kind']]: fc.Arbitrary<Extract<ShardMessage, { readonly kind: K }>>;
} = {
  prepare: fc.record({ kind: fc.constant('prepare'), ...header }),
  promised: fc.record({ kind: fc.constant('promised'), ...header, ...state }),
  prepareRefused: fc.record({
    kind: fc.constant('prepareRefused'),
    ...header,
    promised: integer,
    retryInMs: float,
  }),
  accepts: fc.record({
    kind: fc.constant('accepts'),
    incarnation: integer,
    number: integer,
    lease: stamp,
    batches: fc.array(fc.record({ ...header, previous: position, next: position, rows, commit: integer }), {
      maxLength: 3,
    }),
  }),
  acceptsSeen: fc.record({
    kind: fc.constant('acceptsSeen'),
    holder: integer,
    number: integer,
    lease: echo,
    except: fc.array(integer, { maxLength: 4 }),
  }),
  accepted: fc.record({ kind: fc.constant('accepted'), ...header, revision: integer, lease: echo }),
  gap: fc.record({ kind: fc.constant('gap'), ...header, ...state }),
  superseded: fc.record({ kind: fc.constant('superseded'), ...header, promised: integer }),
  repairOffer: fc.record({
    kind: fc.constant('repairOffer'),
    ...header,
    commit: integer,
    purgedTo: integer,
  }),
  deltaRequest: fc.record({
    kind: fc.constant('deltaRequest'),
    ...header,
    position,
    base: integer,
    keys: texts,
  }),
  delta: fc.record({
    kind: fc.constant('delta'),
    ...header,
    from: position,
    to: position,
    rows,
    absent: texts,
    purgedTo: integer,
    dedupeFloor: instant,
    commit: integer,
  }),
  copyRequired: fc.record({
    kind: fc.constant('copyRequired'),
    ...header,
    commit: integer,
    purgedTo: integer,
  }),
  pageRequest: fc.record({
    kind: fc.constant('pageRequest'),
    ...header,
    copyId: integer,
    pass: integer,
    base: integer,
    start: text,
    keys: texts,
  }),
  page: fc.record({
    kind: fc.constant('page'),
    ...header,
    copyId: integer,
    pass: integer,
    start: text,
    nextKey: optional(text),
    rows,
    absent: texts,
    commit: integer,
    purgedTo: integer,
    dedupeFloor: instant,
  }),
  verify: fc.record({
    kind: fc.constant('verify'),
    ...asked,
    start: text,
    end: optional(text),
    upTo: integer,
    purgedTo: integer,
    wantsRows: fc.boolean(),
  }),
  verified: fc.record({
    kind: fc.constant('verified'),
    ...asked,
    revision: integer,
    purgedTo: integer,
    end: optional(text),
    digest: text,
    rows: fc.array(fc.record({ key: text, revision: integer, live: fc.boolean(), digest: text })),
  }),
  rowWanted: fc.record({ kind: fc.constant('rowWanted'), ...asked, key: text }),
  rowTold: fc.record({ kind: fc.constant('rowTold'), ...asked, digest: optional(text), rows }),
  mend: fc.record({ kind: fc.constant('mend'), ...asked, key: text, found: optional(text), rows }),
  mended: fc.record({ kind: fc.constant('mended'), ...asked, done: fc.boolean() }),
  finishRequest: fc.record({
    kind: fc.constant('finishRequest'),
    ...header,
    copyId: integer,
    base: integer,
    keys: texts,
  }),
  finish: fc.record({
    kind: fc.constant('finish'),
    ...header,
    copyId: integer,
    base: integer,
    to: position,
    rows,
    absent: texts,
    purgedTo: integer,
    dedupeFloor: instant,
    commit: integer,
  }),
  remembered: fc.record({
    kind: fc.constant('remembered'),
    ...header,
    revision: integer,
    floor: instant,
    marks: fc.array(mark, { maxLength: 5 }),
  }),
  confirm: fc.record({ kind: fc.constant('confirm'), ...header, round: integer, lease: stamp }),
  confirmed: fc.record({ kind: fc.constant('confirmed'), ...header, round: integer, lease: echo }),
  released: fc.record({ kind: fc.constant('released'), ...header }),
  releaseSeen: fc.record({ kind: fc.constant('releaseSeen'), ...header }),
  stand: fc.record({ kind: fc.constant('stand'), ...header }),
  commitPoints: fc.record({
    kind: fc.constant('commitPoints'),
    incarnation: integer,
    after: integer,
    upTo: integer,
    points: fc.array(fc.record({ ...header, commit: integer, fresh: fc.boolean() }), { maxLength: 5 }),
    stamp: optional(fc.record({ echo: float, echoIncarnation: integer })),
  }),
  heartbeat: fc.record({ kind: fc.constant('heartbeat'), incarnation: integer, lease: stamp }),
  heartbeatSeen: fc.record({
    kind: fc.constant('heartbeatSeen'),
    holder: integer,
    lease: echo,
    pointsHeard: integer,
  }),
};
export const messageArbitrary: fc.Arbitrary<ShardMessage> = fc.oneof(...Object.values(messages));

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ kind: fc.constant('ifRevision' as const), revision: integer }),
  fc.record({ kind: fc.constant('ifVersion' as const), version: integer }),
  fc.constant<Condition>({ kind: 'ifAbsent' }),
  fc.constant<Condition>({ kind: 'ifPresent' }),
);
const conditions = fc.array(condition, { maxLength: 3 });
const consistency: fc.Arbitrary<ReadRequest['consistency']> = fc.oneof(
  fc.constant({ kind: 'linearizable' as const }),
  fc.record({ kind: fc.constant('stale' as const), maxStalenessMs: optional(integer) }),
);
type RequestOf<K extends FramedRequest['kind']> = Extract<FramedRequest, { readonly kind: K }>;

const requests: { readonly [K in FramedRequest['kind']]: fc.Arbitrary<RequestOf<K>> } = {
  write: fc.record({
    kind: fc.constant('write'),
    token: integer,
    remainingMs: integer,
    ...header,
    requestId: text,
    origin: instant,
    operation: fc.oneof(
      fc.record({
        kind: fc.constant('put' as const),
        key: text,
        value: bytes,
        contentType,
        expiresAt: optional(instant),
        conditions,
      }),
      fc.record({ kind: fc.constant('delete' as const), key: text, conditions }),
    ),
  }),
  read: fc.record({
    kind: fc.constant('read'),
    token: integer,
    remainingMs: integer,
    partition: integer,
    epoch: integer,
    key: text,
    consistency,
  }),
  scan: fc.record({
    kind: fc.constant('scan'),
    token: integer,
    remainingMs: integer,
    partitions: fc.array(integer, { maxLength: 20 }),
    range: fc.record({ start: text, end: optional(text) }),
    reverse: fc.boolean(),
    keysOnly: fc.boolean(),
    limitRows: integer,
    limitBytes: integer,
    consistency,
  }),
};
export const requestArbitrary: fc.Arbitrary<FramedRequest> = fc.oneof(...Object.values(requests));

const token = integer;
type ReplyOf<K extends ShardReply['kind']> = Extract<ShardReply, { readonly kind: K }>;
const replies: { readonly [K in ShardReply['kind']]: fc.Arbitrary<ReplyOf<K>> } = {
  written: fc.record({
    kind: fc.constant('written'),
    token,
    revision: integer,
    version: integer,
    created: fc.boolean(),
    createdAt: instant,
    modifiedAt: instant,
  }),
  absent: fc.record({ kind: fc.constant('absent'), token }),
  conditionFailed: fc.record({
    kind: fc.constant('conditionFailed'),
    token,
    revision: integer,
    version: integer,
  }),
  row: fc.record({
    kind: fc.constant('row'),
    token,
    row: optional(visibleRow),
    stalenessMs: optional(float),
  }),
  rows: fc.record({
    kind: fc.constant('rows'),
    token,
    rows: fc.array(visibleRow, { maxLength: 5 }),
    more: fc.boolean(),
    notLed: fc.array(integer, { maxLength: 20 }),
  }),
  notLeader: fc.record({
    kind: fc.constant('notLeader'),
    token,
    ballot: integer,
    leader: integer,
    epoch: integer,
  }),
  tooStale: fc.record({ kind: fc.constant('tooStale'), token }),
  overloaded: fc.record({ kind: fc.constant('overloaded'), token }),
  outcomeUnknown: fc.record({ kind: fc.constant('outcomeUnknown'), token }),
};
export const replyArbitrary: fc.Arbitrary<ShardReply> = fc.oneof(...Object.values(replies));

export const leadershipArbitrary = fc.record(header);
export const instantArbitrary = instant;
export const integerArbitrary = integer;
export const textArbitrary = text;
