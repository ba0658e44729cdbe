/** The parts that messages, requests and replies share: rows, positions and lists. */
import {
  type ByteReader,
  MalformedBytesError,
  type ByteWriter,
  fields,
  varint,
} from '@ringleader/primitives';
import type { Position, RequestMark, Row } from '@ringleader/paxos';

/** One byte instead of the text for the usual types. Codes are part of the format: append only. 0 is "spelled out". */
const CONTENT_TYPES: readonly string[] = [
  '',
  'application/octet-stream',
  'application/json',
  'text/plain',
  'text/plain; charset=utf-8',
  'text/plain;charset=utf-8',
  'application/json; charset=utf-8',
  'application/x-www-form-urlencoded',
  'application/x-protobuf',
  'application/yaml',
];
const NO_REQUESTS: readonly RequestMark[] = [];
const CODE_BY_CONTENT_TYPE = new Map(CONTENT_TYPES.map((type, index) => [type, index + 1]));

export function writeContentType(writer: ByteWriter, contentType: string): void {
  const code = CODE_BY_CONTENT_TYPE.get(contentType) ?? 0;
  writer.uint8(code);
  if (code === 0) writer.string(contentType);
}

export function readContentType(reader: ByteReader): string {
  const code = reader.uint8();
  if (code === 0) return reader.string();
  const contentType = CONTENT_TYPES[code - 1];
  if (contentType === undefined) throw new MalformedBytesError('unknown content type code');
  return contentType;
}

export const positionCodec = fields<Position>({ ballot: varint, revision: varint });
export const { write: writePosition, read: readPosition } = positionCodec;

export function writeRequestMarks(writer: ByteWriter, marks: readonly RequestMark[]): void {
  writer.varint(marks.length);
  for (const mark of marks) {
    writer.string(mark.id);
    writer.float64(mark.origin);
    writer.varint(mark.revision);
    writer.varint(mark.version);
  }
}

export function readRequestMarks(reader: ByteReader): RequestMark[] {
  const count = reader.count();
  const marks: RequestMark[] = [];
  for (let i = 0; i < count; i++) {
    marks.push({
      id: reader.string(),
      origin: reader.instant(),
      revision: reader.varint(),
      version: reader.varint(),
    });
  }
  return marks;
}

export function writeRow(writer: ByteWriter, row: Row): void {
  writeVisibleRow(writer, row);
  writeRequestMarks(writer, row.requests);
  writer.float64(row.requestFloor);
}

export function readRow(reader: ByteReader): Row {
  return {
    key: reader.string(),
    value: reader.boolean() ? reader.bytes() : null,
    contentType: readContentType(reader),
    revision: reader.varint(),
    version: reader.varint(),
    createdAt: reader.instant(),
    modifiedAt: reader.instant(),
    expiresAt: reader.optionalInstant(),
    requests: readRequestMarks(reader),
    requestFloor: reader.instant(),
  };
}

/** A row as clients see it: what the group remembers of its requests stays inside. */
export function writeVisibleRow(writer: ByteWriter, row: Row): void {
  writer.string(row.key);
  writer.boolean(row.value !== null);
  if (row.value !== null) writer.bytes(row.value);
  writeContentType(writer, row.contentType);
  writer.varint(row.revision);
  writer.varint(row.version);
  writer.float64(row.createdAt);
  writer.float64(row.modifiedAt);
  writer.optionalFloat64(row.expiresAt);
}

export function readVisibleRow(reader: ByteReader): Row {
  return {
    key: reader.string(),
    value: reader.boolean() ? reader.bytes() : null,
    contentType: readContentType(reader),
    revision: reader.varint(),
    version: reader.varint(),
    createdAt: reader.instant(),
    modifiedAt: reader.instant(),
    expiresAt: reader.optionalInstant(),
    requests: NO_REQUESTS,
    requestFloor: 0,
  };
}

export function writeRows(writer: ByteWriter, rows: readonly Row[]): void {
  writer.varint(rows.length);
  for (const row of rows) writeRow(writer, row);
}

export function readRows(reader: ByteReader): Row[] {
  const count = reader.count();
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) rows.push(readRow(reader));
  return rows;
}

export function writeStrings(writer: ByteWriter, strings: readonly string[]): void {
  writer.varint(strings.length);
  for (const value of strings) writer.string(value);
}

export function readStrings(reader: ByteReader): string[] {
  const count = reader.count();
  const strings: string[] = [];
  for (let i = 0; i < count; i++) strings.push(reader.string());
  return strings;
}

export function writeVarints(writer: ByteWriter, values: readonly number[]): void {
  writer.varint(values.length);
  for (const value of values) writer.varint(value);
}

export function readVarints(reader: ByteReader): number[] {
  const count = reader.count();
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(reader.varint());
  return values;
}
