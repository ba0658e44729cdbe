/**
 * Commands as they stand in the Raft log. The first byte is the version of the form: a member that finds one it does not
 * know must stop instead of guessing, because it could not apply what the others apply.
 */
import { ByteReader, ByteWriter, MalformedBytesError, unreachable } from '@ringleader/primitives';
import { COMPARE_RESULTS, NUMERIC_TARGETS } from './commands.js';
import type { Command, Compare, Operation } from './commands.js';

const COMMAND_VERSION = 1;
// The order of these is part of the form: append only.
const COMMAND_KINDS = ['txn', 'leaseGrant', 'leaseRevoke', 'leaseExpire', 'compact'] as const;
const OPERATION_KINDS = ['put', 'delete', 'range'] as const;
const TARGETS = [...NUMERIC_TARGETS, 'value'] as const;

const writer = new ByteWriter();

export function encodeCommand(command: Command): Uint8Array {
  writer.truncate(0);
  writer.varint(COMMAND_VERSION).varint(COMMAND_KINDS.indexOf(command.kind));
  switch (command.kind) {
    case 'txn':
      writer.list(command.compare, writeCompare);
      writer.list(command.success, writeOperation);
      writer.list(command.failure, writeOperation);
      break;
    case 'leaseGrant':
      writer.varint(command.ttlMs);
      break;
    case 'leaseRevoke':
      writer.varint(command.lease);
      break;
    case 'leaseExpire':
      writer.varint(command.term).list(command.leases, (lease) => writer.varint(lease));
      break;
    case 'compact':
      writer.varint(command.revision);
      break;
    default:
      unreachable(command, 'command');
  }
  return writer.copy();
}

export function decodeCommand(bytes: Uint8Array): Command {
  const reader = new ByteReader(bytes);
  const version = reader.varint();
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
      return { kind, ttlMs: reader.varint() };
    case 'leaseRevoke':
      return { kind, lease: reader.varint() };
    case 'leaseExpire': {
      const term = reader.varint();
      return { kind, term, leases: reader.list(() => reader.varint()) };
    }
    case 'compact':
      return { kind, revision: reader.varint() };
  }
}

function writeCompare(compare: Compare): void {
  writer
    .text(compare.key)
    .varint(COMPARE_RESULTS.indexOf(compare.result))
    .varint(TARGETS.indexOf(compare.target));
  if (compare.target === 'value') writer.text(compare.operand);
  else writer.varint(compare.operand);
}

function readCompare(reader: ByteReader): Compare {
  const key = reader.text();
  const result = reader.oneOf(COMPARE_RESULTS);
  const target = reader.oneOf(TARGETS);
  if (target === 'value') return { key, result, target, operand: reader.text() };
  return { key, result, target, operand: reader.varint() };
}

function writeOperation(operation: Operation): void {
  writer.varint(OPERATION_KINDS.indexOf(operation.kind)).text(operation.key);
  switch (operation.kind) {
    case 'put':
      writer.text(operation.value).varint(operation.lease);
      break;
    case 'delete':
      writeRangeEnd(operation.rangeEnd);
      break;
    case 'range':
      writeRangeEnd(operation.rangeEnd);
      writer.varint(operation.limit);
      break;
  }
}

function readOperation(reader: ByteReader): Operation {
  const kind = reader.oneOf(OPERATION_KINDS);
  const key = reader.text();
  switch (kind) {
    case 'put': {
      const value = reader.text();
      return { kind, key, value, lease: reader.varint() };
    }
    case 'delete':
      return { kind, key, rangeEnd: readRangeEnd(reader) };
    case 'range': {
      const rangeEnd = readRangeEnd(reader);
      return { kind, key, rangeEnd, limit: reader.varint() };
    }
  }
}

function writeRangeEnd(rangeEnd: string | null): void {
  if (rangeEnd === null) writer.varint(0);
  else writer.varint(1).text(rangeEnd);
}

function readRangeEnd(reader: ByteReader): string | null {
  return reader.oneOf([false, true]) ? reader.text() : null;
}
