/**
 * Commands as they stand in the Raft log. The first byte is the version of the form: a member that finds one it does not
 * know must stop instead of guessing, because it could not apply what the others apply. Version 1 is that of release 0.1.0,
 * before values were bytes. What it can say is still written in it: so members of that release can follow while a cluster is
 * updated one by one, as long as nobody asks for what is new.
 */
import {
  ByteReader,
  ByteWriter,
  type Codec,
  boolean,
  bytes,
  constant,
  fields,
  isUtf8,
  listOf,
  MalformedBytesError,
  oneOf,
  optional,
  text,
  unreachable,
  varint,
  variants,
} from '@ringleader/primitives';
import { COMPARE_RESULTS, NESTING_DEPTH_MAX, NUMERIC_TARGETS, SORT_FIELDS, plainRead } from './commands.js';
import type {
  Command,
  Compare,
  DeleteOperation,
  Operation,
  PutOperation,
  RangeOperation,
  ReadOptions,
} from './commands.js';

const COMMAND_VERSION = 2;
const OLD_COMMAND_VERSION = 1;

/** What the versions say in forms of their own. */
interface Forms {
  readonly compareRangeEnd: Codec<string | null>;
  readonly put: Omit<FieldsOf<PutOperation>, 'key'>;
  readonly wantsPrevious: Codec<boolean>;
  readonly readOptions: FieldsOf<ReadOptions>;
  readonly wantedLease: Codec<number>;
  readonly asOf: Codec<number>;
  readonly depthMax: number;
}

type FieldsOf<T> = { readonly [Name in keyof Omit<T, 'kind'>]: Codec<T[Name & keyof T]> };

const forms: Forms = {
  compareRangeEnd: optional(text),
  put: { value: optional(bytes), lease: optional(varint), wantsPrevious: boolean },
  wantsPrevious: boolean,
  readOptions: {
    limit: varint,
    revision: varint,
    // The order of these is part of the form: append only.
    sortBy: oneOf(SORT_FIELDS),
    isDescending: boolean,
    keysOnly: boolean,
    countOnly: boolean,
    minModRevision: varint,
    maxModRevision: varint,
    minCreateRevision: varint,
    maxCreateRevision: varint,
  },
  wantedLease: varint,
  asOf: varint,
  depthMax: NESTING_DEPTH_MAX,
};

const oldForms: Forms = {
  compareRangeEnd: constant<string | null>(null),
  // Values were texts, which have the bytes of their UTF-8.
  put: { value: bytes, lease: varint, wantsPrevious: constant(false) } as unknown as Forms['put'],
  wantsPrevious: constant(false),
  readOptions: {
    limit: varint,
    revision: constant(plainRead.revision),
    sortBy: constant(plainRead.sortBy),
    isDescending: constant(false),
    keysOnly: constant(false),
    countOnly: constant(false),
    minModRevision: constant(0),
    maxModRevision: constant(0),
    minCreateRevision: constant(0),
    maxCreateRevision: constant(0),
  },
  wantedLease: constant(0),
  asOf: constant(0),
  depthMax: 0,
};

function compareCodec(rangeEnd: Codec<string | null>): Codec<Compare> {
  const comparison = fields<Pick<Compare, 'key' | 'rangeEnd' | 'result' | 'target'>>({
    key: text,
    rangeEnd,
    result: oneOf(COMPARE_RESULTS),
    // The order of these is part of the form: append only.
    target: oneOf([...NUMERIC_TARGETS, 'value'] as const),
  });
  /** By hand: what the operand is follows from the target. */
  return {
    write(writer, value) {
      comparison.write(writer, value);
      if (value.target === 'value') writer.bytes(value.operand);
      else writer.varint(value.operand);
    },
    read(reader) {
      const { target, ...rest } = comparison.read(reader);
      if (target === 'value') return { ...rest, target, operand: reader.bytes() };
      return { ...rest, target, operand: reader.varint() };
    },
  };
}

/** A codec for each level, so that no bytes nest deeper than is allowed. */
function operationsCodec(
  form: Forms,
  compare: Codec<readonly Compare[]>,
  depth: number,
): Codec<readonly Operation[]> {
  const range = { key: text, rangeEnd: optional(text) };
  const flat = {
    put: { code: 0, fields: { key: text, ...form.put } },
    delete: { code: 1, fields: { ...range, wantsPrevious: form.wantsPrevious } },
    range: { code: 2, fields: { ...range, ...form.readOptions } },
  };
  if (depth === 0) {
    const lowest = variants<PutOperation | DeleteOperation | RangeOperation>('an operation', flat);
    return listOf(lowest as Codec<Operation>);
  }
  const nested = operationsCodec(form, compare, depth - 1);
  const txn = { code: 3, fields: { compare, success: nested, failure: nested } };
  return listOf(variants<Operation>('an operation', { ...flat, txn }));
}

function commandCodec(form: Forms): Codec<Command> {
  const compare = listOf(compareCodec(form.compareRangeEnd));
  const operations = operationsCodec(form, compare, form.depthMax);
  return variants<Command>('a command', {
    txn: { code: 0, fields: { compare, success: operations, failure: operations } },
    leaseGrant: { code: 1, fields: { ttlMs: varint, wanted: form.wantedLease } },
    leaseRevoke: { code: 2, fields: { lease: varint } },
    leaseExpire: { code: 3, fields: { term: varint, leases: listOf(varint), asOf: form.asOf } },
    compact: { code: 4, fields: { revision: varint } },
    limitSize: { code: 5, fields: { sizeBytesMax: varint, exemptPrefix: text } },
  });
}

const present = commandCodec(forms);
const old = commandCodec(oldForms);
const codecs = new Map([
  [COMMAND_VERSION, present],
  [OLD_COMMAND_VERSION, old],
]);

function isOld(command: Command): boolean {
  switch (command.kind) {
    case 'txn':
      return (
        command.compare.every(isOldCompare) &&
        command.success.every(isOldOperation) &&
        command.failure.every(isOldOperation)
      );
    case 'leaseGrant':
      return command.wanted === 0;
    case 'limitSize':
      return false;
    case 'leaseExpire':
      return command.asOf === 0;
    case 'leaseRevoke':
    case 'compact':
      return true;
    default:
      return unreachable(command, 'command');
  }
}

function isOldCompare(compare: Compare): boolean {
  return compare.rangeEnd === null && (compare.target !== 'value' || isUtf8(compare.operand));
}

function isOldOperation(operation: Operation): boolean {
  switch (operation.kind) {
    case 'put': {
      const { value, lease, wantsPrevious } = operation;
      return value !== null && lease !== null && !wantsPrevious && isUtf8(value);
    }
    case 'delete':
      return !operation.wantsPrevious;
    case 'range':
      return plainNames.every((name) => name === 'limit' || operation[name] === plainRead[name]);
    case 'txn':
      return false;
    default:
      return unreachable(operation, 'operation');
  }
}

const plainNames = Object.keys(plainRead) as (keyof ReadOptions)[];

const writer = new ByteWriter();

export function encodeCommand(command: Command): Uint8Array {
  writer.truncate(0);
  const isSayable = isOld(command);
  writer.varint(isSayable ? OLD_COMMAND_VERSION : COMMAND_VERSION);
  (isSayable ? old : present).write(writer, command);
  return writer.copy();
}

/** Values are views of the bytes: the store keeps none of them. */
export function decodeCommand(encoded: Uint8Array): Command {
  const reader = new ByteReader(encoded);
  const version = reader.varint();
  const codec = codecs.get(version);
  if (codec === undefined) throw new MalformedBytesError(`command version ${version} is not known`);
  const command = codec.read(reader);
  reader.end();
  return command;
}
