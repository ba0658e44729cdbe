/**
 * Commands as they stand in the Raft log. The first byte is the version of the form: a member that finds one it does not
 * know must stop instead of guessing, because it could not apply what the others apply.
 */
import { unreachable } from '@ringleader/primitives';
import { ByteReader, ByteWriter, MalformedBytesError } from './bytes.js';
import { COMPARE_RESULTS, NUMERIC_TARGETS } from './commands.js';
import type { Command, Compare, Operation } from './commands.js';

const COMMAND_VERSION = 1;
// The order of these is part of the form: append only.
const COMMAND_KINDS = ['txn', 'leaseGrant', 'leaseRevoke', 'leaseExpire', 'compact'] as const;
const OPERATION_KINDS = ['put', 'delete', 'range'] as const;
const TARGETS = [...NUMERIC_TARGETS, 'value'] as const;

export function encodeCommand(command: Command): Uint8Array {
  const writer = new ByteWriter().integer(COMMAND_VERSION).integer(COMMAND_KINDS.indexOf(command.kind));
  switch (command.kind) {
    case 'txn':
      writer.list(command.compare, (compare) => writeCompare(writer, compare));
      writer.list(command.success, (operation) => writeOperation(writer, operation));
      writer.list(command.failure, (operation) => writeOperation(writer, operation));
      break;
    case 'leaseGrant':
      writer.integer(command.ttlMs);
      break;
    case 'leaseRevoke':
      writer.integer(command.lease);
      break;
    case 'leaseExpire':
      writer.integer(command.term).list(command.leases, (lease) => writer.integer(lease));
      break;
    case 'compact':
      writer.integer(command.revision);
      break;
    default:
      unreachable(command, 'command');
  }
  return writer.finish();
}

export function decodeCommand(bytes: Uint8Array): Command {
  const reader = new ByteReader(bytes);
  const version = reader.integer();
  if (version !== COMMAND_VERSION) throw new MalformedBytesError(`command version ${version} is not known`);
  const command = readCommand(reader);
  reader.end();
  return command;
}

function readCommand(reader: ByteReader): Command {
  const kind = reader.oneOf(COMMAND_KINDS);
  switch (kind) {
    case 'txn': {
      const compare = reader.list(() => readCompare(reader));
      const success = reader.list(() => readOperation(reader));
      return { kind, compare, success, failure: reader.list(() => readOperation(reader)) };
    }
    case 'leaseGrant':
      return { kind, ttlMs: reader.integer() };
    case 'leaseRevoke':
      return { kind, lease: reader.integer() };
    case 'leaseExpire': {
      const term = reader.integer();
      return { kind, term, leases: reader.list(() => reader.integer()) };
    }
    case 'compact':
      return { kind, revision: reader.integer() };
  }
}

function writeCompare(writer: ByteWriter, compare: Compare): void {
  writer
    .string(compare.key)
    .integer(COMPARE_RESULTS.indexOf(compare.result))
    .integer(TARGETS.indexOf(compare.target));
  if (compare.target === 'value') writer.string(compare.operand);
  else writer.integer(compare.operand);
}

function readCompare(reader: ByteReader): Compare {
  const key = reader.string();
  const result = reader.oneOf(COMPARE_RESULTS);
  const target = reader.oneOf(TARGETS);
  if (target === 'value') return { key, result, target, operand: reader.string() };
  return { key, result, target, operand: reader.integer() };
}

function writeOperation(writer: ByteWriter, operation: Operation): void {
  writer.integer(OPERATION_KINDS.indexOf(operation.kind)).string(operation.key);
  switch (operation.kind) {
    case 'put':
      writer.string(operation.value).integer(operation.lease);
      break;
    case 'delete':
      writeRangeEnd(writer, operation.rangeEnd);
      break;
    case 'range':
      writeRangeEnd(writer, operation.rangeEnd);
      writer.integer(operation.limit);
      break;
  }
}

function readOperation(reader: ByteReader): Operation {
  const kind = reader.oneOf(OPERATION_KINDS);
  const key = reader.string();
  switch (kind) {
    case 'put': {
      const value = reader.string();
      return { kind, key, value, lease: reader.integer() };
    }
    case 'delete':
      return { kind, key, rangeEnd: readRangeEnd(reader) };
    case 'range': {
      const rangeEnd = readRangeEnd(reader);
      return { kind, key, rangeEnd, limit: reader.integer() };
    }
  }
}

function writeRangeEnd(writer: ByteWriter, rangeEnd: string | null): void {
  if (rangeEnd === null) writer.integer(0);
  else writer.integer(1).string(rangeEnd);
}

function readRangeEnd(reader: ByteReader): string | null {
  return reader.oneOf([false, true]) ? reader.string() : null;
}
