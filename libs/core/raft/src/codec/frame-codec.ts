/** What travels between two members: a byte for what it is, then messages one after the other, or one introduction. */
import type { Introduction } from '../founding/founding.js';
import type { Message } from '../messages.js';
import { ByteReader, ByteWriter, MalformedError } from './bytes.js';
import { readMessage, writeMessage } from './message-codec.js';

/** A new form of either gets a new number: who does not know it refuses the frame, and nothing in it is guessed at. */
export const frameForms = { messages: 1, introduction: 2 } as const;

export type DecodedFrame =
  | { readonly kind: 'messages'; readonly messages: readonly Message[] }
  | { readonly kind: 'introduction'; readonly introduction: Introduction }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Packs messages, in their order, into frames. A frame is closed once it exceeds `sizeBytesMax`: one message is never cut. */
export function encodeFrames(messages: readonly Message[], sizeBytesMax: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let writer: ByteWriter | null = null;
  for (const message of messages) {
    writer ??= newFrame(frameForms.messages);
    writeMessage(writer, message);
    if (writer.length >= sizeBytesMax) {
      frames.push(writer.finish());
      writer = null;
    }
  }
  if (writer !== null) frames.push(writer.finish());
  return frames;
}

export function encodeIntroduction({ seat, id, isQuestion, isBegun, founders }: Introduction): Uint8Array {
  const writer = newFrame(frameForms.introduction);
  writer.integer(seat);
  writer.integer(id);
  writer.flag(isQuestion);
  writer.flag(isBegun);
  writer.flag(founders !== null);
  writer.integer(founders?.length ?? 0);
  for (const founder of founders ?? []) {
    writer.integer(founder.seat);
    writer.integer(founder.id);
  }
  return writer.finish();
}

export function decodeFrame(frame: Uint8Array): DecodedFrame {
  const reader = new ByteReader(frame);
  try {
    const form = reader.integer();
    if (form === frameForms.messages) return readMessages(reader);
    if (form === frameForms.introduction) return readIntroduction(reader);
    return { kind: 'malformed', reason: `version ${String(form)}` };
  } catch (error) {
    if (error instanceof MalformedError) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}

function readMessages(reader: ByteReader): DecodedFrame {
  const messages: Message[] = [];
  while (!reader.isAtEnd) messages.push(readMessage(reader));
  return { kind: 'messages', messages };
}

function readIntroduction(reader: ByteReader): DecodedFrame {
  const seat = reader.integer();
  const id = reader.integer();
  const isQuestion = reader.flag();
  const isBegun = reader.flag();
  const isFounded = reader.flag();
  const founders = reader.list(() => ({ seat: reader.integer(), id: reader.integer() }));
  if (!reader.isAtEnd) throw new MalformedError('bytes follow an introduction');
  const introduction = { seat, id, isQuestion, isBegun, founders: isFounded ? founders : null };
  return { kind: 'introduction', introduction };
}

function newFrame(form: number): ByteWriter {
  const writer = new ByteWriter();
  writer.integer(form);
  return writer;
}
