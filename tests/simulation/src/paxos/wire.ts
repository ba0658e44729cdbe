/**
 * Messages as they travel: encoded when they are sent and decoded for each receiver, by the codecs of the real processes.
 * So no field can be lost unnoticed, and no two nodes share an object.
 */
import {
  appendPeerMessage,
  appendReply,
  appendRequest,
  ByteWriter,
  decodeLeadersFrame,
  decodePeerFrame,
  decodeReplyFrame,
  decodeRequestFrame,
  encodeLeadersFrame,
  type MalformedFrame,
  startPeerFrame,
  startReplyFrame,
  startRequestFrame,
} from '@ringleader/contracts';
import type { NodeId } from '@ringleader/testing-simulation';
import type { SimMessage } from './sim-messages.js';

type OfKind<K extends SimMessage['kind']> = Extract<SimMessage, { readonly kind: K }>;

/** A request's token at its gateway, which comes back with the answer, names operation and attempt. */
const ATTEMPTS_MAX = 4_096;
const writer = new ByteWriter();

/** Gives back how one receiver reads it. */
export function carry(from: NodeId, message: SimMessage): () => SimMessage {
  switch (message.kind) {
    case 'peer':
      return carryPeer(from, message);
    case 'request':
      return carryRequest(from, message);
    case 'reply':
      return carryReply(from, message);
    case 'leaders':
      return carryLeaders(from, message);
  }
}

function carryPeer(from: NodeId, { hybridTime, message }: OfKind<'peer'>): () => SimMessage {
  startPeerFrame(writer, { from, hybridTime });
  appendPeerMessage(writer, message);
  const bytes = writer.take();
  return () => {
    const frame = read(decodePeerFrame(bytes));
    return { kind: 'peer', hybridTime: frame.hybridTime, message: only(frame.messages) };
  };
}

function carryRequest(from: NodeId, message: OfKind<'request'>): () => SimMessage {
  const { attempt, body, timeoutMs, hybridTime } = message;
  startRequestFrame(writer, { gatewayId: `gateway-${String(from)}`, hybridTime });
  const token = attempt.operation * ATTEMPTS_MAX + attempt.number;
  appendRequest(writer, { ...body, token, remainingMs: timeoutMs });
  const bytes = writer.take();
  return () => {
    const frame = read(decodeRequestFrame(bytes));
    const { token: sent, remainingMs, ...rest } = only(frame.requests);
    return {
      kind: 'request',
      attempt: attemptOf(sent),
      body: rest,
      timeoutMs: remainingMs,
      hybridTime: frame.hybridTime,
    };
  };
}

function carryReply(from: NodeId, { attempt, reply, hybridTime }: OfKind<'reply'>): () => SimMessage {
  startReplyFrame(writer, { servedBy: from, hybridTime });
  appendReply(writer, attempt.operation * ATTEMPTS_MAX + attempt.number, reply);
  const bytes = writer.take();
  return () => {
    const frame = read(decodeReplyFrame(bytes));
    const received = only(frame.replies);
    return {
      kind: 'reply',
      attempt: attemptOf(received.token),
      reply: received,
      hybridTime: frame.hybridTime,
    };
  };
}

function carryLeaders(from: NodeId, { notices, hybridTime }: OfKind<'leaders'>): () => SimMessage {
  const bytes = encodeLeadersFrame(writer, { from, hybridTime }, notices);
  return () => {
    const frame = read(decodeLeadersFrame(bytes));
    return {
      kind: 'leaders',
      hybridTime: frame.hybridTime,
      notices: frame.leaderships.map((leadership) => ({ ...leadership, leader: frame.from })),
    };
  };
}

function attemptOf(token: number): OfKind<'reply'>['attempt'] {
  return { operation: Math.floor(token / ATTEMPTS_MAX), number: token % ATTEMPTS_MAX };
}

/** Nothing changes a frame on its way here: one that cannot be read was written wrongly. */
function read<Frame extends { readonly kind: string }>(frame: Frame | MalformedFrame): Frame {
  if (frame.kind === 'malformed') throw new RangeError(`unreadable frame: ${JSON.stringify(frame)}`);
  return frame as Frame;
}

function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new RangeError(`${String(items.length)} items, not one`);
  return item;
}
