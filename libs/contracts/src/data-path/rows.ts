/** The parts that messages, requests and replies share: rows and positions. */
import {
  bytes,
  type Codec,
  constant,
  fields,
  instant,
  listOf,
  MalformedBytesError,
  optional,
  string,
  varint,
} from '@ringleader/primitives';
import { PackedMarks, type Position, type RequestMarks, type Row } from '@ringleader/paxos';

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
const CODE_BY_CONTENT_TYPE = new Map(CONTENT_TYPES.map((type, index) => [type, index + 1]));

export const contentTypeCodec: Codec<string> = {
  write(writer, contentType) {
    const code = CODE_BY_CONTENT_TYPE.get(contentType) ?? 0;
    writer.uint8(code);
    if (code === 0) writer.string(contentType);
  },
  read(reader) {
    const code = reader.uint8();
    if (code === 0) return reader.string();
    const contentType = CONTENT_TYPES[code - 1];
    if (contentType === undefined) throw new MalformedBytesError('unknown content type code');
    return contentType;
  },
};

export const positionCodec = fields<Position>({ ballot: varint, revision: varint });

/** Marks are read as they are written. */
export const requestMarksCodec: Codec<RequestMarks> = {
  write: (writer, marks) => PackedMarks.of(marks).write(writer),
  read: (reader) => PackedMarks.read(reader),
};

const visible = {
  key: string,
  value: optional(bytes),
  contentType: contentTypeCodec,
  revision: varint,
  version: varint,
  createdAt: instant,
  modifiedAt: instant,
  expiresAt: optional(instant),
};

/** A row as clients see it: what the group remembers of its requests stays inside. */
export const visibleRowCodec = fields<Row>({
  ...visible,
  requests: constant<RequestMarks>(PackedMarks.none),
  requestFloor: constant(0),
});

export const rowsCodec = listOf(
  fields<Row>({ ...visible, requests: requestMarksCodec, requestFloor: instant }),
);
