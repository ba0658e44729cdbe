/**
 * Takes requests in from gateways and hands answers back: each request gets a token of this shard's own, since those of
 * different gateways clash. When the core is thrown away, whatever it had not answered is answered here, honestly.
 */
import {
  appendReply,
  ByteWriter,
  type FramedRequest,
  FRAME_BYTES_TARGET,
  type RequestFrame,
  reserveEnvelope,
  startReplyFrame,
} from '@ringleader/contracts';
import type { ShardReply, ShardRequest } from '@ringleader/paxos';
import type { MonotonicMs, ShardOrdinal } from '@ringleader/primitives';
import { FrameOutbox } from './frame-outbox.js';
import type { ShardClock } from './shard-clock.js';

interface PendingRequest {
  readonly gatewayId: string;
  /** The gateway's. */
  readonly token: number;
  readonly isWrite: boolean;
}

export interface RequestDeskOptions {
  readonly ordinal: ShardOrdinal;
  readonly clock: ShardClock;
  readonly send: (gatewayId: string, frame: Buffer) => void;
  /** What waits for a gateway or is on its way there. */
  readonly backlogBytes: (gatewayId: string) => number;
}

/** A small value that is cut out of a large frame would keep all of the frame in memory for as long as it is cached. */
const VALUE_SHARE_MIN = 0.25;
const LONG_VALUE_BYTES = 32 * 1024;
/** A gateway that does not take what it has asked for is told to ask later. */
const BACKLOG_BYTES_MAX = 32 * 1024 * 1024;

export class RequestDesk {
  private readonly pending = new Map<number, PendingRequest>();
  private readonly outbox: FrameOutbox<string>;
  private lastToken = 0;
  private requestsTotalCount = 0;

  constructor(private readonly options: RequestDeskOptions) {
    const { ordinal, clock, send } = options;
    this.outbox = new FrameOutbox({
      start: (writer) => startReplyFrame(writer, { servedBy: ordinal, hybridTime: clock.stamp() }),
      send,
    });
  }

  get inFlight(): number {
    return this.pending.size;
  }

  get requestsTotal(): number {
    return this.requestsTotalCount;
  }

  /** Requests of a frame as the core takes them. */
  admit({ gatewayId, requests }: RequestFrame): readonly ShardRequest[] {
    const now = this.options.clock.monotonicMs();
    this.requestsTotalCount += requests.length;
    return requests.map((request) => {
      const token = ++this.lastToken;
      this.pending.set(token, { gatewayId, token: request.token, isWrite: request.kind === 'write' });
      return toShardRequest(request, token, now + request.remainingMs);
    });
  }

  /** For requests that no core can take, or may: nothing was done. */
  refuse(frame: RequestFrame, reason: 'notLeader' | 'overloaded' = 'notLeader'): void {
    for (const { token } of frame.requests) {
      const notLeader = { kind: 'notLeader', token, ballot: 0, leader: 0, epoch: 0 } as const;
      this.write(frame.gatewayId, token, reason === 'notLeader' ? notLeader : { kind: reason, token });
    }
    this.outbox.flush();
  }

  answer(reply: ShardReply): void {
    const request = this.pending.get(reply.token);
    // Already answered by `abandonAll`.
    if (request === undefined) return;
    this.pending.delete(reply.token);
    this.write(request.gatewayId, request.token, reply);
  }

  /** The core is gone: its writes may or may not happen, its reads may be asked elsewhere. */
  abandonAll(): void {
    for (const { gatewayId, token, isWrite } of this.pending.values()) {
      this.write(
        gatewayId,
        token,
        isWrite
          ? { kind: 'outcomeUnknown', token }
          : { kind: 'notLeader', token, ballot: 0, leader: 0, epoch: 0 },
      );
    }
    this.pending.clear();
    this.outbox.flush();
  }

  flush(): void {
    this.outbox.flush();
  }

  private write(gatewayId: string, token: number, reply: ShardReply): void {
    const isAlone = isLong(reply);
    if (isAlone && this.options.backlogBytes(gatewayId) < BACKLOG_BYTES_MAX) {
      this.sendAlone(gatewayId, token, reply);
      return;
    }
    const writer = this.outbox.frame(gatewayId);
    appendReply(writer, token, isAlone ? { kind: 'overloaded', token } : reply);
    this.outbox.appended(gatewayId, writer);
  }

  /** In a frame of its own, so that short answers do not travel at its pace. */
  private sendAlone(gatewayId: string, token: number, reply: ShardReply): void {
    const { ordinal, clock, send } = this.options;
    const writer = new ByteWriter(valueBytesOf(reply) + BYTES_BESIDE_VALUES);
    reserveEnvelope(writer);
    startReplyFrame(writer, { servedBy: ordinal, hybridTime: clock.stamp() });
    appendReply(writer, token, reply);
    send(gatewayId, writer.take());
  }
}

/** Mostly enough. */
const BYTES_BESIDE_VALUES = 16 * 1024;

function valueBytesOf(reply: ShardReply): number {
  if (reply.kind === 'row') return reply.row?.value?.length ?? 0;
  return reply.kind === 'rows' ? reply.rows.reduce((sum, { value }) => sum + (value?.length ?? 0), 0) : 0;
}

function isLong(reply: ShardReply): boolean {
  if (reply.kind === 'row') return valueBytesOf(reply) > LONG_VALUE_BYTES;
  return reply.kind === 'rows' && reply.rows.some(({ value }) => (value?.length ?? 0) > LONG_VALUE_BYTES);
}

/** Field by field: a copy of what is left of an object takes several times as long. */
function toShardRequest(framed: FramedRequest, token: number, deadline: MonotonicMs): ShardRequest {
  switch (framed.kind) {
    case 'write': {
      const { kind, partition, epoch, ballot, requestId, origin, operation } = framed;
      return {
        kind,
        token,
        partition,
        epoch,
        ballot,
        requestId,
        origin,
        operation: detached(operation),
        deadline,
      };
    }
    case 'read': {
      const { kind, partition, epoch, key, consistency } = framed;
      return { kind, token, partition, epoch, key, consistency, deadline };
    }
    case 'scan': {
      const { remainingMs: _, ...scan } = framed;
      // With its last row, and what else is in the frame, the answer stays below the bound of a frame.
      return { ...scan, token, deadline, limitBytes: Math.min(scan.limitBytes, FRAME_BYTES_TARGET) };
    }
  }
}

type Operation = Extract<ShardRequest, { kind: 'write' }>['operation'];

function detached(operation: Operation): Operation {
  if (operation.kind !== 'put') return operation;
  const { value } = operation;
  if (value.length >= value.buffer.byteLength * VALUE_SHARE_MIN) return operation;
  return { ...operation, value: Buffer.from(value) };
}
