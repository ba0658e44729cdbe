/** A configuration as bytes: in entries of the log, in snapshots, and in the message that begins one. */
import {
  boolean,
  ByteReader,
  ByteWriter,
  fields,
  listOf,
  MalformedBytesError,
  varint,
} from '@ringleader/primitives';
import { configurationFault } from '../membership/configuration.js';
import type { Configuration, Learner, Seated } from '../types.js';

/** Whoever does not know a form does not guess at it. */
const form = 1;

export const listOfSeated = listOf(fields<Seated>({ seat: varint, id: varint }));

export const configurationCodec = fields<Configuration>({
  voters: listOfSeated,
  outgoing: listOfSeated,
  learners: listOf(
    fields<Learner>({ seat: varint, id: varint, replaces: varint, isPromotedItself: boolean }),
  ),
  removed: listOf(varint),
});

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(form);
  configurationCodec.write(writer, configuration);
  return writer.take();
}

/** Throws MalformedBytesError for what is no configuration, and for one that no leader makes. */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const reader = new ByteReader(bytes);
  const written = reader.varint();
  if (written !== form) throw new MalformedBytesError(`a configuration of the form ${String(written)}`);
  const configuration = configurationCodec.read(reader);
  reader.end();
  const fault = configurationFault(configuration);
  if (fault !== null) throw new MalformedBytesError(fault);
  return configuration;
}

/** Null in place of what `decodeConfiguration` throws for. */
export function tryDecodeConfiguration(bytes: Uint8Array): Configuration | null {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    if (error instanceof MalformedBytesError) return null;
    throw error;
  }
}
