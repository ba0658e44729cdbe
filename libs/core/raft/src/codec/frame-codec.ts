/** What travels between two members: a version byte, then one message after the other. */
import type { Message } from '../messages.js';
import { ByteReader, ByteWriter, MalformedError } from './bytes.js';
import { readMessage, writeMessage } from './message-codec.js';

export const frameVersion = 1;

export type DecodedFrame =
  | { readonly kind: 'messages'; readonly messages: readonly Message[] }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Packs messages, in their order, into frames. A frame is closed once it exceeds `sizeBytesMax`: one message is never cut. */
export function encodeFrames(messages: readonly Message[], sizeBytesMax: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let writer: ByteWriter | null = null;
  for (const message of messages) {
    writer ??= newFrame();
    writeMessage(writer, message);
    if (writer.length >= sizeBytesMax) {
      frames.push(writer.finish());
      writer = null;
    }
  }
  if (writer !== null) frames.push(writer.finish());
  return frames;
}

export function decodeFrame(frame: Uint8Array): DecodedFrame {
  const reader = new ByteReader(frame);
  const messages: Message[] = [];
  try {
    const version = reader.integer();
    if (version !== frameVersion) return { kind: 'malformed', reason: `version ${String(version)}` };
    while (!reader.isAtEnd) messages.push(readMessage(reader));
  } catch (error) {
    if (error instanceof MalformedError) return { kind: 'malformed', reason: error.message };
    throw error;
  }
  return { kind: 'messages', messages };
}

function newFrame(): ByteWriter {
  const writer = new ByteWriter();
  writer.integer(frameVersion);
  return writer;
}
