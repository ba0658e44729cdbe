import { describe, expect, it } from '@jest/globals';
import { contentOf, decodeReplyFrame, FRAME_BYTES_TARGET, type RequestFrame } from '@ringleader/contracts';
import type { ShardReply } from '@ringleader/paxos';
import { RequestDesk } from './request-desk.js';
import { ShardClock } from './shard-clock.js';

const NOW = 5_000;

function deskInto(sent: [string, readonly ShardReply[]][], backlogBytes = 0): RequestDesk {
  return new RequestDesk({
    ordinal: 4,
    backlogBytes: () => backlogBytes,
    clock: new ShardClock({ monotonicMs: () => NOW, wallMs: () => 1_790_000_000_000 }),
    send: (gatewayId, bytes) => {
      const frame = decodeReplyFrame(contentOf(bytes));
      if (frame.kind === 'replies') sent.push([gatewayId, frame.replies]);
    },
  });
}

const linearizable = { kind: 'linearizable' } as const;
const read = (token: number) =>
  ({
    kind: 'read',
    token,
    remainingMs: 250,
    partition: 1,
    epoch: 1,
    key: 'k',
    consistency: linearizable,
  }) as const;
const write = (token: number, value: Uint8Array) =>
  ({
    kind: 'write',
    token,
    remainingMs: 250,
    partition: 1,
    epoch: 1,
    ballot: 65_540,
    requestId: 'r',
    origin: 7,
    operation: { kind: 'put', key: 'k', value, contentType: '', expiresAt: null, conditions: [] },
  }) as const;

const frameOf = (gatewayId: string, requests: RequestFrame['requests']): RequestFrame => ({
  kind: 'requests',
  gatewayId,
  hybridTime: 1,
  requests,
});

describe('RequestDesk', () => {
  it('keeps the tokens of different gateways apart, and turns remaining time into a deadline', () => {
    const sent: [string, readonly ShardReply[]][] = [];
    const desk = deskInto(sent);
    const [first] = desk.admit(frameOf('gateway-1', [read(9)]));
    const [second] = desk.admit(frameOf('gateway-2', [read(9)]));
    expect(first!.token).not.toBe(second!.token);
    expect(first!.deadline).toBe(NOW + 250);
    desk.answer({ kind: 'tooStale', token: second!.token });
    desk.answer({ kind: 'absent', token: first!.token });
    expect(desk.inFlight).toBe(0);
    desk.flush();
    expect(sent).toEqual([
      ['gateway-2', [{ kind: 'tooStale', token: 9 }]],
      ['gateway-1', [{ kind: 'absent', token: 9 }]],
    ]);
  });

  it('answers for a core that is gone: writes may have happened, reads were not served; then nothing more', () => {
    const sent: [string, readonly ShardReply[]][] = [];
    const desk = deskInto(sent);
    const [asked] = desk.admit(frameOf('gateway-1', [write(1, Buffer.from('v')), read(2)]));
    desk.abandonAll();
    expect(sent).toEqual([
      [
        'gateway-1',
        [
          { kind: 'outcomeUnknown', token: 1 },
          { kind: 'notLeader', token: 2, ballot: 0, leader: 0, epoch: 0 },
        ],
      ],
    ]);
    desk.answer({ kind: 'absent', token: asked!.token });
    desk.flush();
    expect(sent).toHaveLength(1);
  });

  it('refuses what no core can take', () => {
    const sent: [string, readonly ShardReply[]][] = [];
    deskInto(sent).refuse(frameOf('gateway-1', [write(3, Buffer.from('v'))]));
    expect(sent).toEqual([['gateway-1', [{ kind: 'notLeader', token: 3, ballot: 0, leader: 0, epoch: 0 }]]]);
  });

  it('refuses what there is no memory for', () => {
    const sent: [string, readonly ShardReply[]][] = [];
    deskInto(sent).refuse(frameOf('gateway-1', [read(3)]), 'overloaded');
    expect(sent).toEqual([['gateway-1', [{ kind: 'overloaded', token: 3 }]]]);
  });

  it('does not keep a large frame in memory for a small value in it', () => {
    const desk = deskInto([]);
    const frame = Buffer.alloc(100_000, 1);
    const requests = [write(1, frame.subarray(0, 10)), write(2, frame.subarray(0, 60_000))];
    const [small, large] = desk.admit(frameOf('gateway-1', requests));
    const bufferOf = (request: typeof small) =>
      request?.kind === 'write' && request.operation.kind === 'put' ? request.operation.value.buffer : null;
    expect(bufferOf(small)).not.toBe(frame.buffer);
    expect(bufferOf(large)).toBe(frame.buffer);
  });

  it.each([
    ['sends a long answer alone', 0, 'row'],
    ['does not gather long answers for a gateway that does not take them', 64 * 2 ** 20, 'overloaded'],
  ])('%s', (_name, backlogBytes, kind) => {
    const sent: [string, readonly ShardReply[]][] = [];
    const desk = deskInto(sent, backlogBytes);
    const tokens = desk.admit(frameOf('gateway-1', [read(1), read(2)])).map(({ token }) => token);
    const times = { createdAt: 1, modifiedAt: 1, expiresAt: null };
    const row = {
      key: 'k',
      value: Buffer.alloc(100_000),
      contentType: '',
      revision: 1,
      version: 1,
      ...times,
    };
    const [short = 0, long = 0] = tokens;
    desk.answer({ kind: 'absent', token: short });
    desk.answer({ kind: 'row', token: long, row: { ...row, requests: [], requestFloor: 0 }, stalenessMs: 0 });
    desk.flush();
    const kinds = sent.map(([, replies]) => replies.map((reply) => reply.kind));
    expect(kinds).toEqual(kind === 'row' ? [['row'], ['absent']] : [['absent', 'overloaded']]);
  });

  it('bounds what a scan may bring into one frame', () => {
    const scan = {
      kind: 'scan',
      token: 1,
      remainingMs: 10,
      partitions: [1],
      range: { start: '', end: null },
      reverse: false,
      keysOnly: false,
      limitRows: 10,
      limitBytes: 100 * FRAME_BYTES_TARGET,
      consistency: linearizable,
    } as const;
    const [request] = deskInto([]).admit(frameOf('gateway-1', [scan]));
    expect(request).toMatchObject({ kind: 'scan', limitBytes: FRAME_BYTES_TARGET });
  });
});
