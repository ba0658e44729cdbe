/** What travels between two members: a byte for what it is, then messages one after the other, or one introduction. */
import {
  boolean,
  ByteReader,
  ByteWriter,
  type Codec,
  fields,
  MalformedBytesError,
  varint,
} from '@ringleader/primitives';
import type { Introduction } from '../founding/founding.js';
import type { Message } from '../messages.js';
import { listOfSeated } from './configuration-codec.js';
import { messageCodec } from './message-codec.js';

/** A new form of either gets a new number: who does not know it refuses the frame, and nothing in it is guessed at. */
export const frameForms = { messages: 1, introduction: 2 } as const;

export type DecodedFrame =
  | { readonly kind: 'messages'; readonly messages: readonly Message[] }
  | { readonly kind: 'introduction'; readonly introduction: Introduction }
  | { readonly kind: 'malformed'; readonly reason: string };

/** By hand: the list stands there, empty, also where there is none. */
const founders: Codec<Introduction['founders']> = {
  write(writer, value) {
    writer.boolean(value !== null);
    listOfSeated.write(writer, value ?? []);
  },
  read(reader) {
    const isFounded = reader.boolean();
    const listed = listOfSeated.read(reader);
    return isFounded ? listed : null;
  },
};

const introductionCodec = fields<Introduction>({
  seat: varint,
  id: varint,
  isQuestion: boolean,
  isBegun: boolean,
  founders,
});

/** Frames are cut out of its memory one after the other. */
const writer = new ByteWriter();

/** What a transport puts in front of a frame. */
export type FrameStart = (writer: ByteWriter) => void;

const nothing: FrameStart = () => undefined;

/** Packs messages, in their order, into frames. A frame is closed once it exceeds `sizeBytesMax`: one message is never cut. */
export function encodeFrames(
  messages: readonly Message[],
  sizeBytesMax: number,
  start: FrameStart = nothing,
): Uint8Array[] {
  const frames: Uint8Array[] = [];
  writer.truncate(0);
  for (const message of messages) {
    if (writer.length === 0) {
      start(writer);
      writer.varint(frameForms.messages);
    }
    messageCodec.write(writer, message);
    if (writer.length >= sizeBytesMax) frames.push(writer.take());
  }
  if (writer.length > 0) frames.push(writer.take());
  return frames;
}

export function encodeIntroduction(introduction: Introduction, start: FrameStart = nothing): Uint8Array {
  writer.truncate(0);
  start(writer);
  writer.varint(frameForms.introduction);
  introductionCodec.write(writer, introduction);
  return writer.take();
}

export function decodeFrame(frame: Uint8Array): DecodedFrame {
  const reader = new ByteReader(frame);
  try {
    const form = reader.varint();
    if (form === frameForms.messages) return readMessages(reader);
    if (form === frameForms.introduction) return readIntroduction(reader);
    return { kind: 'malformed', reason: `version ${String(form)}` };
  } catch (error) {
    if (error instanceof MalformedBytesError) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}

function readMessages(reader: ByteReader): DecodedFrame {
  const messages: Message[] = [];
  while (!reader.atEnd) messages.push(messageCodec.read(reader));
  return { kind: 'messages', messages };
}

function readIntroduction(reader: ByteReader): DecodedFrame {
  const introduction = introductionCodec.read(reader);
  reader.end();
  return { kind: 'introduction', introduction };
}
