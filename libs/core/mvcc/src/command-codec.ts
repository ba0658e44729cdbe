/**
 * Commands as they stand in the Raft log. The first byte is the version of the form: a member that finds one it does not
 * know must stop instead of guessing, because it could not apply what the others apply.
 */
import {
  ByteReader,
  ByteWriter,
  type Codec,
  fields,
  listOf,
  MalformedBytesError,
  oneOf,
  optional,
  text,
  varint,
  variants,
} from '@ringleader/primitives';
import { COMPARE_RESULTS, NUMERIC_TARGETS } from './commands.js';
import type { Command, Compare, Operation } from './commands.js';

const COMMAND_VERSION = 1;

type Comparison = Pick<Compare, 'key' | 'result' | 'target'>;

const comparison = fields<Comparison>({
  key: text,
  result: oneOf(COMPARE_RESULTS),
  // The order of these is part of the form: append only.
  target: oneOf([...NUMERIC_TARGETS, 'value'] as const),
});

/** By hand: what the operand is follows from the target. */
const compare: Codec<Compare> = {
  write(writer, value) {
    comparison.write(writer, value);
    if (value.target === 'value') writer.text(value.operand);
    else writer.varint(value.operand);
  },
  read(reader) {
    const { key, result, target } = comparison.read(reader);
    if (target === 'value') return { key, result, target, operand: reader.text() };
    return { key, result, target, operand: reader.varint() };
  },
};

const range = { key: text, rangeEnd: optional(text) };
const operations = listOf(
  variants<Operation>('an operation', {
    put: { code: 0, fields: { key: text, value: text, lease: varint } },
    delete: { code: 1, fields: range },
    range: { code: 2, fields: { ...range, limit: varint } },
  }),
);

const commandCodec = variants<Command>('a command', {
  txn: { code: 0, fields: { compare: listOf(compare), success: operations, failure: operations } },
  leaseGrant: { code: 1, fields: { ttlMs: varint } },
  leaseRevoke: { code: 2, fields: { lease: varint } },
  leaseExpire: { code: 3, fields: { term: varint, leases: listOf(varint) } },
  compact: { code: 4, fields: { revision: varint } },
});

const writer = new ByteWriter();

export function encodeCommand(command: Command): Uint8Array {
  writer.truncate(0);
  writer.varint(COMMAND_VERSION);
  commandCodec.write(writer, command);
  return writer.copy();
}

export function decodeCommand(bytes: Uint8Array): Command {
  const reader = new ByteReader(bytes);
  const version = reader.varint();
  if (version !== COMMAND_VERSION) throw new MalformedBytesError(`command version ${version} is not known`);
  const command = commandCodec.read(reader);
  reader.end();
  return command;
}
