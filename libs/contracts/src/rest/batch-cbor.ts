/**
 * The batch as CBOR: the same fields as in JSON, but values are bytes in both directions, and there is no `valueBase64`.
 * In one file for both sides, so that what the one writes cannot differ from what the other reads.
 */
import { invalidBatch, tooManyOperations } from './batch-errors.js';
import { CborError, CborNames, CborReader, CborWriter, cborOf } from './cbor.js';
import type { BatchOperation, BatchResult } from './keys-and-values.js';
import { REST_LIMITS } from './limits.js';

type JsonPut = Extract<BatchOperation, { op: 'put' }>;
type BinaryPut = Omit<JsonPut, 'value' | 'valueBase64'> & {
  /** A text stands for its UTF-8. */
  readonly value?: Uint8Array | string | undefined;
};
export type BinaryOperation = BinaryPut | Exclude<BatchOperation, JsonPut>;
export type BinaryResult = Omit<BatchResult, 'value' | 'valueBase64'> & {
  readonly value?: Uint8Array | undefined;
};

const BODY = 'body';
const OPERATIONS = 'operations';
const NAME_LENGTH_SHOWN = 64;

const requestNames = new CborNames([OPERATIONS]);
const kinds = new CborNames(['put', 'get', 'delete']);

const FIELDS = ['op', 'key', 'value', 'contentType'] as const;
const CONDITIONS = ['ifRevision', 'ifVersion', 'ifPresent', 'ifAbsent'] as const;
const fieldNames = new CborNames([...FIELDS, ...CONDITIONS]);
const OF_GET = new Set<string>(['op', 'key']);
const OF_DELETE = new Set<string>(['op', 'key', 'ifRevision', 'ifVersion', 'ifPresent']);

/** As it is read, until it is known which fields it may have. */
interface Draft {
  op?: 'put' | 'get' | 'delete';
  key?: string;
  value?: Uint8Array;
  contentType?: string;
  ifRevision?: number;
  ifVersion?: number;
  ifAbsent?: true;
  ifPresent?: true;
}

/** Throws what is wrong with it as an OperationalError. Values are views of the body. */
export function readBinaryBatch(body: Uint8Array): readonly BinaryOperation[] {
  return new BatchReader(body).read();
}

class BatchReader {
  private readonly reader: CborReader;
  /** What is read: in the whole, and of an operation. */
  private field: string = BODY;
  private index = -1;

  constructor(body: Uint8Array) {
    this.reader = new CborReader(body);
  }

  read(): readonly BinaryOperation[] {
    try {
      return this.request();
    } catch (error) {
      if (error instanceof CborError) throw this.invalid(error.message);
      throw error;
    }
  }

  private request(): readonly BinaryOperation[] {
    const { reader } = this;
    let operations: readonly BinaryOperation[] | null = null;
    for (let left = reader.map(); left > 0; left -= 1) {
      const name = reader.name(requestNames);
      if (typeof name !== 'string') throw this.unknown(name.unknown);
      this.field = OPERATIONS;
      if (operations !== null) throw this.invalid('is given twice');
      operations = this.operations();
    }
    this.field = BODY;
    reader.end();
    this.field = OPERATIONS;
    if (operations === null) throw this.invalid('is missing');
    return operations;
  }

  private operations(): readonly BinaryOperation[] {
    const count = this.reader.array();
    if (count > REST_LIMITS.batchOperationsMax) throw tooManyOperations(count);
    const operations: BinaryOperation[] = [];
    for (this.index = 0; this.index < count; this.index += 1) operations.push(this.operation());
    this.index = -1;
    return operations;
  }

  private operation(): BinaryOperation {
    const { reader } = this;
    const draft: Draft = {};
    this.field = '';
    for (let left = reader.map(); left > 0; left -= 1) {
      this.field = '';
      const name = reader.name(fieldNames);
      if (typeof name !== 'string') throw this.unknown(name.unknown);
      this.field = name;
      if (draft[name] !== undefined) throw this.invalid('is given twice');
      this.fill(draft, name);
    }
    return this.checked(draft);
  }

  private fill(draft: Draft, name: keyof Draft): void {
    const { reader } = this;
    switch (name) {
      case 'op': {
        const kind = reader.name(kinds);
        if (typeof kind !== 'string') throw this.invalid('is put, get or delete');
        draft.op = kind;
        return;
      }
      case 'key':
        draft.key = reader.text();
        return;
      case 'contentType':
        draft.contentType = reader.text();
        return;
      case 'value':
        draft.value = reader.bytes();
        return;
      case 'ifRevision':
      case 'ifVersion': {
        const number = reader.unsigned();
        if (number === 0) throw this.invalid('is 1 or more');
        draft[name] = number;
        return;
      }
      case 'ifAbsent':
      case 'ifPresent':
        reader.true();
        draft[name] = true;
    }
  }

  private checked(draft: Draft): BinaryOperation {
    const { op, key } = draft;
    this.field = op === undefined ? 'op' : 'key';
    if (op === undefined || key === undefined) throw this.invalid('is missing');
    if (op === 'put') return draft as BinaryOperation;
    const allowed = op === 'get' ? OF_GET : OF_DELETE;
    for (const name in draft) {
      this.field = name;
      if (!allowed.has(name)) throw this.invalid(`is no field of a ${op}`);
    }
    return draft as BinaryOperation;
  }

  private unknown(name: string): Error {
    const { field } = this;
    this.field = name.slice(0, NAME_LENGTH_SHOWN);
    if (field === BODY) this.index = -1;
    return this.invalid('there is no such field');
  }

  private invalid(message: string): Error {
    const operation = `${OPERATIONS}.${this.index}`;
    const inOperation = this.field === '' ? operation : `${operation}.${this.field}`;
    return invalidBatch([{ field: this.index === -1 ? this.field : inOperation, message }]);
  }
}

const REQUEST = cborOf((writer) => writer.map(1).text(OPERATIONS));
const PLAIN_PUT = cborOf((writer) => writer.map(3).text('op').text('put').text('key'));
const VALUE = cborOf((writer) => writer.text('value'));
/** Of the names and lengths: more than the longest take. */
const OVERHEAD_BYTES = 128;
const OPERATION_BYTES = 192;

/** At most what an operation takes. */
export function binaryOperationBytes(operation: BinaryOperation): number {
  const { value = '', contentType = '' } = operation.op === 'put' ? operation : {};
  const valueBytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  return OVERHEAD_BYTES + Buffer.byteLength(operation.key) + valueBytes + Buffer.byteLength(contentType);
}

/** What is no UTF-8 text must not be given as one. */
export function writeBinaryBatch(operations: readonly BinaryOperation[]): Buffer {
  const writer = new CborWriter(OPERATION_BYTES * (operations.length + 1));
  writer.encoded(REQUEST).array(operations.length);
  for (const operation of operations) writeOperation(writer, operation);
  return writer.take();
}

function writeOperation(writer: CborWriter, operation: BinaryOperation): void {
  const { op, key, ...others } = operation;
  const rest = given(others);
  if (op === 'put' && rest.length === 1 && operation.value !== undefined) {
    writeField(writer.encoded(PLAIN_PUT).text(key).encoded(VALUE), operation.value);
    return;
  }
  writer
    .map(2 + rest.length)
    .text('op')
    .text(op)
    .text('key')
    .text(key);
  for (const [name, value] of rest) writeField(writer.text(name), value);
}

type Field = string | number | true | Uint8Array;

function given(fields: Readonly<Record<string, Field | undefined>>): [string, Field][] {
  return Object.entries(fields).filter((field): field is [string, Field] => field[1] !== undefined);
}

function writeField(writer: CborWriter, value: Field): void {
  if (typeof value === 'string') writer.text(value);
  else if (typeof value === 'number') writer.unsigned(value);
  else if (value === true) writer.true();
  else writer.bytes(value);
}

const RESPONSE = cborOf((writer) => writer.map(1).text('results'));
const STATUS = cborOf((writer) => writer.map(3).text('status'));
const REVISION = cborOf((writer) => writer.text('revision'));
const VERSION = cborOf((writer) => writer.text('version'));
const RESULT_BYTES = 40;

/** Writes answers one after the other. */
export class BinaryResultsWriter {
  private readonly writer: CborWriter;

  constructor(count: number) {
    this.writer = new CborWriter(RESULT_BYTES * (count + 1)).encoded(RESPONSE).array(count);
  }

  written(status: number, revision: number, version: number): void {
    this.writer.encoded(STATUS).unsigned(status);
    this.writer.encoded(REVISION).unsigned(revision).encoded(VERSION).unsigned(version);
  }

  add(result: BinaryResult): void {
    const fields = given(result);
    this.writer.map(fields.length);
    for (const [name, value] of fields) writeField(this.writer.text(name), value);
  }

  take(): Buffer {
    return this.writer.take();
  }
}

const responseNames = new CborNames(['results']);
const resultNames = new CborNames([
  ...['status', 'revision', 'version', 'value', 'contentType', 'createdAt', 'modifiedAt', 'code', 'detail'],
] as (keyof BinaryResult)[]);

/** What a client reads. Fields that it does not know are passed over. Throws CborError. */
export function readBinaryResults(body: Uint8Array): readonly BinaryResult[] {
  const reader = new CborReader(body);
  const results: BinaryResult[] = [];
  for (let left = reader.map(); left > 0; left -= 1) {
    if (typeof reader.name(responseNames) !== 'string') reader.skip();
    else for (let items = reader.array(); items > 0; items -= 1) results.push(readResult(reader));
  }
  reader.end();
  return results;
}

function readResult(reader: CborReader): BinaryResult {
  const result: Record<string, unknown> = {};
  for (let left = reader.map(); left > 0; left -= 1) {
    const name = reader.name(resultNames);
    if (typeof name !== 'string') reader.skip();
    else if (name === 'value') result[name] = reader.bytes();
    else if (name === 'status' || name === 'revision' || name === 'version') result[name] = reader.unsigned();
    else result[name] = reader.text();
  }
  if (typeof result['status'] === 'number') return result as unknown as BinaryResult;
  throw new CborError('a result has no status');
}
