import { describe, expect, it } from '@jest/globals';
import { contentOf, decodePeerFrame, PIECE_BYTES } from '@ringleader/contracts';
import type { Parcel } from '@ringleader/nats';
import type { Accept, Row, ShardMessage } from '@ringleader/paxos';
import { PeerOutbox } from './peer-outbox.js';
import { ShardClock } from './shard-clock.js';

const BALLOT = 65_537;
const acknowledgement: ShardMessage = {
  kind: 'acceptsSeen',
  holder: 1,
  number: 1,
  lease: { incarnation: 1, span: 1, sentAt: 1 },
  except: [],
};
const released: ShardMessage = { kind: 'released', partition: 1, epoch: 1, ballot: BALLOT };

function rowOf(bytes: number): Row {
  const value = Buffer.alloc(bytes, 7);
  const times = { createdAt: 1, modifiedAt: 1, expiresAt: null };
  return {
    key: 'k',
    value,
    contentType: 't',
    revision: 1,
    version: 1,
    requests: [],
    requestFloor: 0,
    ...times,
  };
}

function accepts(...batches: readonly { partition: number; bytes: number | null }[]): ShardMessage {
  return {
    kind: 'accepts',
    incarnation: 1,
    number: 1,
    lease: { sentAt: 1 },
    batches: batches.map(({ partition, bytes }): Accept => {
      const previous = { ballot: BALLOT, revision: 0 };
      const next = { ballot: BALLOT, revision: 1 };
      const rows = bytes === null ? [] : [rowOf(bytes)];
      return { partition, epoch: 1, ballot: BALLOT, previous, next, rows, commit: 0 };
    }),
  };
}

/** What left, in order: the lane and the messages' kinds, or a parcel's topics. */
function sendAll(
  messages: readonly ShardMessage[],
  { held = [], carriesParcels = false }: { held?: readonly number[]; carriesParcels?: boolean } = {},
): unknown[] {
  const sent: unknown[] = [];
  const clock = new ShardClock({ monotonicMs: () => 1, wallMs: () => 1 });
  const outbox = new PeerOutbox(1, clock, {
    sendToPeer: (shard, bytes, lane) => {
      const frame = decodePeerFrame(contentOf(bytes));
      sent.push([shard, lane, frame.kind === 'peer' && frame.messages.map(({ kind }) => kind)]);
    },
    sendParcelToPeer: (shard, parcel) => void sent.push([shard, parcel.topics, kindsOf(parcel)]),
    carriesParcels,
    holdsBack: (_shard, partitions) => partitions.some((partition) => held.includes(partition)),
  });
  for (const message of messages) outbox.add({ to: 2, message });
  outbox.flush();
  return sent;
}

function kindsOf(parcel: Parcel): unknown {
  const frame = decodePeerFrame(Buffer.concat(parcel.encode()));
  return frame.kind === 'peer' && frame.messages.map(({ kind }) => kind);
}

describe('PeerOutbox', () => {
  it('keeps what keeps partitions alive apart from rows; a barrier has none', () => {
    const barrier = accepts({ partition: 3, bytes: null });
    const rows = accepts({ partition: 1, bytes: 100 }, { partition: 2, bytes: null });
    expect(sendAll([rows, released, barrier])).toEqual([
      [2, 'control', ['released', 'accepts']],
      [2, 'bulk', ['accepts']],
    ]);
  });

  it('makes a parcel of what is longer than a piece', () => {
    const long = accepts({ partition: 5, bytes: PIECE_BYTES });
    expect(sendAll([long, accepts({ partition: 6, bytes: 100 })])).toEqual([
      [2, [5], ['accepts']],
      [2, 'bulk', ['accepts']],
    ]);
  });

  it('keeps many short rows whole, and makes a parcel of them where they come to half a megabyte, or one is long', () => {
    const short = Array.from({ length: 20 }, (_, partition) => ({ partition, bytes: 16 * 1024 }));
    expect(sendAll([accepts(...short)])).toEqual([[2, 'bulk', ['accepts']]]);
    const topics = (count: number): number[] => Array.from({ length: count }, (_, partition) => partition);
    const withLong = [...short, { partition: 20, bytes: 33 * 1024 }];
    expect(sendAll([accepts(...withLong)])).toEqual([[2, topics(21), ['accepts']]]);
    const many = Array.from({ length: 40 }, (_, partition) => ({ partition, bytes: 16 * 1024 }));
    expect(sendAll([accepts(...many)])).toEqual([[2, topics(40), ['accepts']]]);
  });

  it('leaves what is about the same partition as a waiting parcel behind it', () => {
    expect(sendAll([accepts({ partition: 5, bytes: 100 })], { held: [5] })).toEqual([[2, [5], ['accepts']]]);
  });

  it('lets acknowledgements ride with rows, and nothing else', () => {
    const rows = accepts({ partition: 1, bytes: 100 });
    expect(sendAll([acknowledgement, released, rows])).toEqual([
      [2, 'control', ['released']],
      [2, 'bulk', ['accepts', 'acceptsSeen']],
    ]);
  });

  it('sends acknowledgements on the lane for control while something long is on its way, or no rows are', () => {
    const rows = accepts({ partition: 1, bytes: 100 });
    expect(sendAll([acknowledgement, rows], { carriesParcels: true })).toEqual([
      [2, 'control', ['acceptsSeen']],
      [2, 'bulk', ['accepts']],
    ]);
    expect(sendAll([acknowledgement])).toEqual([[2, 'control', ['acceptsSeen']]]);
  });

  it('sends what a member of an older version does not know in frames of its own, and long rows as a parcel', () => {
    const header = { partition: 1, epoch: 1, ballot: BALLOT, round: 1 };
    const mend = (bytes: number): ShardMessage => {
      return { kind: 'mend', ...header, key: 'k', found: null, rows: [rowOf(bytes)] };
    };
    const rows = accepts({ partition: 1, bytes: 100 });
    const mended: ShardMessage = { kind: 'mended', ...header, done: true };
    const remembered = (count: number): ShardMessage => {
      const marks = Array.from({ length: count }, (_, i) => ({
        id: `key:${i}`,
        origin: 1,
        revision: i,
        version: 1,
      }));
      return { kind: 'remembered', ...header, revision: count, floor: 0, marks };
    };
    const unknown = [mended, mend(100), mend(PIECE_BYTES), remembered(10), remembered(4_096)];
    expect(sendAll([rows, released, ...unknown])).toEqual([
      [2, 'bulk', ['mended']],
      [2, 'bulk', ['mend']],
      [2, [], ['mend']],
      [2, 'bulk', ['remembered']],
      [2, [], ['remembered']],
      [2, 'control', ['released']],
      [2, 'bulk', ['accepts']],
    ]);
  });
});
